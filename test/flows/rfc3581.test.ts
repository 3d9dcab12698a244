import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  Dispatcher,
  type Packet,
  parsePacket,
  Request,
  type Target,
  targets,
  type Verdict,
  via,
} from "@sipkit/core";
import { VirtualNetwork } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { expect, it } from "vitest";
import { vectorTexts } from "./vectors.ts";

/** What the RFC's client sends: it prints these two lines "in part". */
const INVITE = [
  "INVITE sip:user@example.com SIP/2.0",
  "Via: SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff",
  "Max-Forwards: 70",
  "From: <sip:caller@example.com>;tag=1",
  "To: <sip:user@example.com>",
  "Call-ID: behind-nat",
  "CSeq: 1 INVITE",
  "Contact: <sip:caller@10.1.1.1:4540>",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

/** Knows where the one user is. */
function finds(uri: string): (packet: Packet) => Verdict {
  const target: Target = { uri, q: 1, route: [], expiresAt: Number.POSITIVE_INFINITY };
  return (packet) => {
    if (packet.isRequest && packet.method === "INVITE") packet.set(targets, [target]);
    return undefined;
  };
}

/** The Vias of a message that the RFC prints in part, or of a whole one, without the proxy's branch. */
function viasOf(message: string | Packet): readonly unknown[] {
  const { headers } = typeof message === "string" ? Request.parse(message) : message;
  return headers.readAll(via).map(({ transport, host, port, received, rport, branch }) => {
    const own = host === "proxy.example.com" ? {} : { received, rport, branch };
    return { transport, host, port: port ?? 5060, ...own };
  });
}

/** The request that the proxy forwards; the RFC's answer to it has the same Vias. */
const [forwarded = "", answered = ""] = vectorTexts(3581, "6");

it("RFC 3581 §6, an answer through a NAT, over the virtual network", async () => {
  const net = new VirtualNetwork();
  // The NAT's side of the binding that the client's datagram makes: 10.1.1.1:4540 is 192.0.2.1:9988.
  const nat = net.transport("udp:192.0.2.1:9988");
  const answers: Packet[] = [];
  await nat.listen({
    message: (bytes, from) => {
      expect(from).toMatchObject({ address: "192.0.2.2", port: 5060 });
      answers.push(parsePacket(bytes));
    },
    malformed: (error) => expect.unreachable(error.message),
    failed: (error) => expect.unreachable(error.message),
    closed: () => undefined,
  });
  const received: Packet[] = [];
  net.node("user", (host) =>
    host.serve({
      legs: ["udp"],
      receiver: (packet: Packet) => {
        received.push(packet.clone());
        return packet.isRequest ? packet.createResponse(486) : undefined;
      },
    }),
  );
  net.node("proxy", {
    address: "192.0.2.2",
    start: (host) =>
      host.serve({
        domains: ["example.com"],
        legs: [
          { listen: "udp", advertise: "proxy.example.com:5060" },
          { listen: "udp:5070", advertise: "proxy.example.com:5070" },
        ],
        receiver: [finds("sip:user@user"), new Proxy()],
      }),
  });
  await net.start();

  nat.send(INVITE, { protocol: "udp", address: "192.0.2.2", port: 5060 });
  await net.run("1s");

  const [request] = received;
  expect(request && viasOf(request).slice(1)).toEqual(viasOf(forwarded).slice(1));
  expect(viasOf(forwarded)).toEqual(viasOf(answered.replace("SIP/2.0 200 OK", "X sip:x SIP/2.0")));
  expect(request && viasOf(request)[0]).toEqual(viasOf(forwarded)[0]);
  expect(answers.map((answer) => (answer.isRequest ? answer.method : answer.status))).toContain(
    486,
  );
  for (const answer of answers) expect(viasOf(answer)).toEqual(viasOf(forwarded).slice(1));
  await nat.close();
});

it("RFC 3581 §6, an answer through a NAT, over udp", async () => {
  const client = createSocket("udp4").bind(0, "127.0.0.1");
  await once(client, "listening");
  const user = new Dispatcher({
    legs: ["udp:127.0.0.1:0"],
    receiver: (packet) => (packet.isRequest ? packet.createResponse(486) : undefined),
  });
  const [at] = await user.listen();
  const proxy = new Dispatcher({
    domains: ["example.com"],
    legs: [{ listen: "udp:127.0.0.1:0", advertise: "proxy.example.com:5060" }],
    receiver: [finds(`sip:user@127.0.0.1:${at?.port}`), new Proxy()],
  });
  const [leg] = await proxy.listen();

  client.send(INVITE, leg?.port ?? 0, "127.0.0.1");
  const [bytes, from] = await once(client, "message");

  const { port } = client.address();
  expect(from.port).toBe(leg?.port);
  expect(viasOf(parsePacket(bytes))).toEqual([
    {
      transport: "UDP",
      ...{ host: "10.1.1.1", port: 4540, branch: "z9hG4bKkjshdyff" },
      ...{ received: "127.0.0.1", rport: port },
    },
  ]);
  client.close();
  await Promise.all([proxy.close(), user.close()]);
});
