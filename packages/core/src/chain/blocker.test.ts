import { describe, expect, it } from "vitest";
import { ask } from "../testing/ask.ts";
import { TestServer } from "../testing/test-server.ts";
import { Blocker, type BlockerOptions } from "./blocker.ts";
import type { Packet } from "./handler.ts";
import { onRequest } from "./on-request.ts";

const serving = onRequest(["INVITE", "MESSAGE", "SUBSCRIBE"], (request) =>
  request.createResponse(200),
);

function blocker(block: BlockerOptions["block"]): readonly [Blocker, typeof serving] {
  return [new Blocker({ block }), serving];
}

function statuses(sent: readonly Packet[]): readonly (number | string)[] {
  return sent.map((packet) => (packet.isRequest ? packet.method : packet.status));
}

describe("Blocker", () => {
  it("answers the methods that it blocks, and lets the others pass", async () => {
    const server = await TestServer.start(
      blocker({ SUBSCRIBE: 489, BREW: { status: 418, reason: "I'm a teapot" } }),
    );
    const blocked = await server.ask("SUBSCRIBE sip:bob@example.com SIP/2.0");
    expect(blocked.by).toBe("Blocker");
    expect(statuses(blocked.sent)).toEqual([489]);
    expect(blocked.sent[0]?.to.tag).toBeDefined();
    const { sent } = await server.ask("BREW sip:bob@example.com SIP/2.0");
    expect(sent[0]?.toWire()).toMatch(/^SIP\/2\.0 418 I'm a teapot\r\n/);
    const passed = await server.ask("MESSAGE sip:bob@example.com SIP/2.0");
    expect(statuses(passed.sent)).toEqual([200]);
    expect(server.dispatcher.counters()).toMatchObject({ blockedRequests: 2 });
    await server.close();
  });

  it("takes methods as the letters they are, RFC 3261 §7.1", async () => {
    const { sent } = await ask(blocker({ message: 403 }), "MESSAGE sip:bob@example.com SIP/2.0");
    expect(statuses(sent)).toEqual([200]);
    const unknown = await ask(blocker({ message: 403 }), "message sip:bob@example.com SIP/2.0");
    expect(statuses(unknown.sent)).toEqual([403]);
  });

  it("keeps nothing of a blocked INVITE, and its ACK ends at the dispatcher", async () => {
    const server = await TestServer.start(blocker({ INVITE: 486 }));
    const invite = "INVITE sip:bob@example.com SIP/2.0";
    const first = await server.ask(invite);
    const second = await server.ask(invite);
    expect(statuses([...first.sent, ...second.sent])).toEqual([486, 486]);
    const [answer] = first.sent;
    expect(second.sent[0]?.to.tag).toBe(answer?.to.tag);
    expect(Object.values(server.dispatcher.stats()).every((alive) => alive === 0)).toBe(true);
    const ack = await server.ask(
      `ACK sip:bob@example.com SIP/2.0\nTo: <sip:bob@example.com>;tag=${answer?.to.tag}`,
    );
    expect(ack).toEqual({ verdict: undefined, by: undefined, sent: [] });
    expect(server.dispatcher.counters()).toMatchObject({ acksToStatelessAnswers: 1 });
    expect(server.clock.pending).toBe(0);
    await server.close();
  });

  it("gives a 405 the Allow header that it must have, RFC 3261 §21.4.6", async () => {
    const { sent } = await ask(
      blocker({ INVITE: 405, SUBSCRIBE: 489 }),
      "INVITE sip:bob@example.com SIP/2.0",
    );
    expect(sent[0]?.headers.get("allow")).toBe("MESSAGE");
    expect(sent[0]?.headers.getAll("allow")).toEqual(["MESSAGE", "OPTIONS", "CANCEL", "ACK"]);
  });

  it("sends the headers that it was given", async () => {
    const block = {
      INVITE: { status: 405, headers: { Allow: "OPTIONS" } },
      SUBSCRIBE: { status: 489, headers: { "Allow-Events": "presence" } },
    };
    const invite = await ask(blocker(block), "INVITE sip:bob@example.com SIP/2.0");
    expect(invite.sent[0]?.headers.getAll("allow")).toEqual(["OPTIONS"]);
    const subscribe = await ask(blocker(block), "SUBSCRIBE sip:bob@example.com SIP/2.0");
    expect(subscribe.sent[0]?.headers.get("allow-events")).toBe("presence");
  });

  it.each([
    ["ACK", { ACK: 403 }, "SIP_BAD_OPTION"],
    ["CANCEL", { CANCEL: 403 }, "SIP_BAD_OPTION"],
    ["a status that refuses nothing", { INVITE: 200 }, "SIP_BAD_OPTION"],
    ["a status that is none", { INVITE: 4050 }, "SIP_BAD_OPTION"],
    [
      "a reason that can't be sent",
      { INVITE: { status: 403, reason: "a\r\nb" } },
      "SIP_BAD_HEADER",
    ],
  ])("refuses %s when it is made", (_what, block, code) => {
    expect(() => new Blocker({ block })).toThrow(expect.objectContaining({ code }));
  });
});
