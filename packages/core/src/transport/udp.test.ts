import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { cleanups } from "../../../../test/kit/cleanups.ts";
import { hasIPv6 } from "../../../../test/kit/has-ipv6.ts";
import { until } from "../../../../test/kit/until.ts";
import type { Peer } from "../arrival.ts";
import type { SipError } from "../errors.ts";
import { UdpTransport } from "./udp.ts";

interface Listening {
  readonly transport: UdpTransport;
  readonly peer: Peer;
  readonly messages: { text: string; from: Peer }[];
  readonly failures: { error: SipError; to: Peer }[];
}

async function listen(address: string, port = 0): Promise<Listening> {
  const transport = new UdpTransport({ protocol: "udp", address, port });
  const messages: Listening["messages"] = [];
  const failures: Listening["failures"] = [];
  const bound = await transport.listen({
    message: (bytes, from) => messages.push({ text: Buffer.from(bytes).toString("latin1"), from }),
    malformed: (error) => expect.unreachable(String(error)),
    failed: (error, to) => failures.push({ error, to }),
    closed: () => expect.unreachable(),
  });
  cleanups.push(() => transport.close());
  return { transport, peer: { protocol: "udp", ...bound }, messages, failures };
}

async function client(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  cleanups.push(() => socket.close());
  return socket;
}

describe("UDP transport", () => {
  it.each(["127.0.0.1", ...(hasIPv6 ? ["::1"] : [])])(
    "carries datagrams on %s both ways",
    async (address) => {
      const a = await listen(address);
      const b = await listen(address);
      expect(a.peer.port).toBeGreaterThan(0);
      a.transport.send("OPTIONS sip:b SIP/2.0\r\n\r\n", b.peer);
      await until(() => b.messages.length > 0);
      expect(b.messages).toEqual([
        {
          text: "OPTIONS sip:b SIP/2.0\r\n\r\n",
          from: { protocol: "udp", address, port: a.peer.port },
        },
      ]);
      for (const { from } of b.messages)
        b.transport.send(Buffer.from("SIP/2.0 200 OK\r\n\r\n"), from);
      await until(() => a.messages.length > 0);
      expect(a.messages).toEqual([
        { text: "SIP/2.0 200 OK\r\n\r\n", from: { protocol: "udp", address, port: b.peer.port } },
      ]);
    },
  );

  it("answers the STUN keep-alive of a phone, and doesn't take it for a message", async () => {
    const { transport, peer, messages } = await listen("127.0.0.1");
    const socket = await client();
    const answers: Buffer[] = [];
    socket.on("message", (bytes) => answers.push(bytes));
    socket.send(Buffer.from("000100002112a442b7e7a701bc34d686fa87dfae", "hex"), peer.port);
    await until(() => answers.length > 0);
    expect(answers[0]?.readUInt16BE(0)).toBe(0x0101);
    expect((answers[0]?.readUInt16BE(26) ?? 0) ^ 0x2112).toBe(socket.address().port);
    expect(messages).toEqual([]);
    expect(transport.counters()).toMatchObject({ keepAlives: 1 });
  });

  it("sends a wire string one byte a character", async () => {
    const { transport } = await listen("127.0.0.1");
    const socket = await client();
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    transport.send(Buffer.from(bytes).toString("latin1"), {
      protocol: "udp",
      address: "127.0.0.1",
      port: socket.address().port,
    });
    const [received] = await once(socket, "message");
    expect(new Uint8Array(received)).toEqual(bytes);
  });

  it("ignores and counts datagrams that only keep a NAT binding open", async () => {
    const { transport, peer, messages } = await listen("127.0.0.1");
    const socket = await client();
    const datagrams = [
      "\r\n\r\n",
      "",
      "\0",
      "\0\0\0\0",
      "\r\n",
      "\n\n\0",
      "\r\nX",
      "\0\x01\0\0",
      "X\r\n",
    ];
    for (const text of datagrams) socket.send(text, peer.port, peer.address);
    await until(() => messages.length === 3);
    expect(messages.map(({ text }) => text)).toEqual(["\r\nX", "\0\x01\0\0", "X\r\n"]);
    expect(transport.counters()).toMatchObject({ keepAlives: 6 });
  });

  it.each([
    ["port 0", { protocol: "udp", address: "127.0.0.1", port: 0 }],
    ["a port out of range", { protocol: "udp", address: "127.0.0.1", port: 65_536 }],
    ["a name", { protocol: "udp", address: "sip.example.com", port: 5060 }],
    ["another family", { protocol: "udp", address: "::1", port: 5060 }],
  ] as const)("tells that %s can't be sent to, once send has returned", async (_what, to) => {
    const { transport, failures } = await listen("127.0.0.1");
    transport.send("x", to);
    expect(failures).toEqual([]);
    await until(() => failures.length > 0);
    expect(failures).toEqual([{ error: expect.objectContaining({ code: "SIP_TRANSPORT" }), to }]);
    expect(failures[0]?.to).toBe(to);
    expect(transport.counters()).toMatchObject({ sendErrors: 1 });
  });

  it("tells that a message doesn't fit into a datagram", async () => {
    const { transport, peer, failures } = await listen("127.0.0.1");
    transport.send("x".repeat(65_508), peer);
    await until(() => failures.length > 0);
    expect(failures[0]?.error.message).toMatch(/^udp to 127\.0\.0\.1:\d+: .*EMSGSIZE/);
  });

  it("does not let more wait for the kernel than it should", async () => {
    const { transport, peer, failures } = await listen("127.0.0.1");
    const message = new Uint8Array(65_000);
    for (let sent = 0; sent < 70; sent += 1) transport.send(message, peer);
    await until(() => failures.length > 0);
    expect(failures.length).toBe(70 - Math.floor(4_194_304 / 65_000));
    await setImmediate();
    transport.send("OPTIONS", peer);
    await setImmediate();
    expect(failures.length).toBe(6);
  });

  it("follows long replies, and one in sixteen of the others", async () => {
    const { transport, peer, messages, failures } = await listen("127.0.0.1");
    transport.send("OPTIONS", peer);
    await until(() => messages.length === 1);
    const from = messages[0]?.from as Peer;
    transport.send("x".repeat(65_508), from);
    await until(() => failures.length > 0);
    expect(failures[0]?.to).toBe(from);

    // The followed sixteenth of these fills what may wait, but for 512 bytes.
    const reply = new Uint8Array(8_191);
    for (let sent = 0; sent < 16 * 512; sent += 1) transport.send(reply, from);
    transport.send(new Uint8Array(513), { ...from });
    await until(() => failures.length > 1);
    expect(failures).toHaveLength(2);
    expect(failures[1]?.error.message).toContain("too much is waiting");
  });

  it("names the address that it can't have", async () => {
    const { peer } = await listen("127.0.0.1");
    await expect(listen("127.0.0.1", peer.port)).rejects.toMatchObject({
      code: "SIP_LISTEN",
      message: expect.stringContaining(`udp:127.0.0.1:${peer.port}`),
    });
  });

  it("fails what is sent after it was closed, and closes twice", async () => {
    const { transport, peer, failures } = await listen("127.0.0.1");
    await transport.close();
    await transport.close();
    transport.send("x", peer);
    await until(() => failures.length > 0);
    expect(failures[0]?.to).toBe(peer);
    const again = await listen("127.0.0.1", peer.port);
    expect(again.peer).toEqual(peer);
  });

  it.runIf(hasIPv6)("leaves IPv4 to a leg of its own", async () => {
    const six = await listen("::");
    const four = await listen("0.0.0.0", six.peer.port);
    expect(four.peer.port).toBe(six.peer.port);
  });
});
