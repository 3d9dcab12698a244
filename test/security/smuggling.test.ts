import type { Packet } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { GuardedServer, RawConnection, until } from "./guarded-server.ts";
import { message, REGISTER, withRaw } from "./message.ts";

const INVITE = "INVITE sip:bob@example.com";

/** A whole REGISTER that nobody may run: it removes alice's bindings. */
const SMUGGLED = message(REGISTER, { "Call-ID": "smuggled", Contact: "*", Expires: "0" });

function callIds(packets: readonly Packet[]): readonly string[] {
  return packets.map(({ headers }) => String(headers.get("call-id")));
}

describe("CVE-2020-28361: a header's name with white space behind it", () => {
  it.each([
    ["a space", "Proxy-Authorization : "],
    ["tabs", "Proxy-Authorization\t\t:"],
    ["in small letters", "proxy-authorization : "],
    ["on a folded line", "Proxy-Authorization:\r\n "],
  ])("credentials are taken out before the request goes on: %s", async (_what, name) => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const proof = await server.proof("alice", INVITE);
    const line = proof.replace("Proxy-Authorization: ", name);
    const { forwarded, answers } = await server.send(withRaw(message(INVITE), line));
    expect(answers).toEqual([]);
    expect(forwarded).toHaveLength(1);
    expect(forwarded[0]?.to).toBe("192.0.2.101:5060");
    expect(forwarded[0]?.wire).not.toMatch(/digest|proxy-authorization/i);
    await server.end();
  });

  it("a second Route of that spelling is followed no more than one of any other", async () => {
    const server = await GuardedServer.start();
    const { forwarded, answers } = await server.send(
      withRaw(message(INVITE), "Route : <sip:203.0.113.9;lr>"),
    );
    expect(forwarded).toEqual([]);
    expect(answers.map(({ status }) => status)).toEqual([407]);
    await server.end();
  });
});

describe("CVE-2016-9938, AST-2016-009: a control character before the colon", () => {
  const bytes = ["\x01", "\x00", "\x0b", "\x1f", "\x7f", "\xa0"];

  it.each(bytes)("To%j is no To: nobody gets past the authenticator by it", async (byte) => {
    const server = await GuardedServer.start();
    const wire = withRaw(
      message(INVITE, { To: undefined }),
      `To${byte}: <sip:bob@example.com>;tag=1`,
    );
    const { answers, seen, counted } = await server.send(wire);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(seen).toEqual([]);
    expect(counted).toEqual({ malformedMessages: 1 });
    await server.end();
  });

  it.each(bytes)("Authorization%j is none, though it is right", async (byte) => {
    const server = await GuardedServer.start();
    const proof = await server.proof("alice", REGISTER);
    const line = proof.replace("Authorization", `Authorization${byte}`);
    const wire = withRaw(message(REGISTER, { Contact: "<sip:alice@192.0.2.100>" }), line);
    const { answers, counted } = await server.send(wire);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(counted).toEqual({ malformedMessages: 1 });
    expect(await server.bindings("alice")).toEqual([]);
    await server.end();
  });
});

describe("CVE-2026-45103, CVE-2026-23457: a message behind a message", () => {
  it.each([
    ["a Content-Length of 2^32", "4294967296", 413],
    ["a Content-Length of 2^32 + 32", "4294967328", 413],
    ["a Content-Length of 2^64", "18446744073709551616", 413],
    ["a Content-Length with a sign", "+0", 400],
    ["a Content-Length in hex", "0x0", 400],
    ["a Content-Length of two numbers", "0 0", 400],
    ["a Content-Length with an exponent", "0e3", 400],
    ["no Content-Length", undefined, 400],
  ])("is not run on TCP, nor is anything after it: %s", async (_what, length, status) => {
    const server = await GuardedServer.start({ legs: [{ listen: "tcp:127.0.0.1:0" }] });
    const { port = 0 } = server.dispatcher.legs.at(-1) ?? {};
    expect(await server.register("alice", "<sip:alice@192.0.2.100>")).toBe(200);
    const proof = await server.proof("alice", REGISTER);
    const first = message(REGISTER, { "Call-ID": "first", "Content-Length": length });
    const connection = await RawConnection.open(port);
    connection.socket.write(Buffer.from(first + withRaw(SMUGGLED, proof), "latin1"));
    await until(() => connection.isClosed);
    expect(callIds(connection.answers)).toEqual(["first"]);
    expect(connection.received).toMatch(new RegExp(`^SIP/2.0 ${status} `));
    expect(server.dispatcher.counters()).toMatchObject({ unframeableStreams: 1 });
    expect(await server.bindings("alice")).toHaveLength(1);
    connection.socket.destroy();
    await until(() => server.dispatcher.stats().connections === 0);
    await server.end();
  });

  it("is cut off a datagram, and not handed on to a phone that is reached over TCP", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101;transport=tcp>", "192.0.2.101");
    const proof = await server.proof("alice", INVITE);
    const invite = withRaw(
      message(INVITE, { Contact: "<sip:alice@192.0.2.100>" }, "v=0\r\n"),
      proof,
    );
    const { forwarded } = await server.send(invite + SMUGGLED);
    expect(forwarded.map(({ protocol }) => protocol)).toEqual(["tcp"]);
    expect(forwarded[0]?.wire).toMatch(/\r\nContent-Length: 5\r\n(?:.+\r\n)*\r\nv=0\r\n$/);
    await server.end();
  });

  it("is framed when a datagram without Content-Length goes on over TCP", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101;transport=tcp>", "192.0.2.101");
    const proof = await server.proof("alice", INVITE);
    const bare = message(INVITE, { "Content-Length": undefined }, SMUGGLED);
    const { forwarded } = await server.send(withRaw(bare, proof));
    const { packet, wire } = forwarded[0] ?? {};
    expect(packet?.headers.getAll("content-length")).toEqual([String(SMUGGLED.length)]);
    expect(wire?.endsWith(`\r\n\r\n${SMUGGLED}`)).toBe(true);
    await server.end();
  });

  it("a body shorter than its Content-Length is refused in a datagram, and goes nowhere", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101;transport=tcp>", "192.0.2.101");
    const proof = await server.proof("alice", INVITE);
    const wire = withRaw(message(INVITE, { "Content-Length": "400" }, "v=0\r\n"), proof);
    const { forwarded, answers, counted } = await server.send(wire);
    expect(forwarded).toEqual([]);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(counted).toEqual({ malformedMessages: 1 });
    await server.end();
  });
});
