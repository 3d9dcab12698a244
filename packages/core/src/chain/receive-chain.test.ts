import { describe, expect, it } from "vitest";
import { Request } from "../message/request.ts";
import { ask } from "../testing/ask.ts";
import { completeRequest } from "../testing/complete.ts";
import { TestServer } from "../testing/test-server.ts";
import { type ChainStep, chainChannel } from "./chain-channel.ts";
import type { Handler } from "./handler.ts";
import { onRequest } from "./on-request.ts";
import { ReceiveChain } from "./receive-chain.ts";
import { wrap } from "./wrap.ts";

const INVITE = "INVITE sip:bob@example.com SIP/2.0";
const busy = onRequest("INVITE", function busyHere(request) {
  return request.createResponse(486);
});

/** A handler that writes down when its hooks run. */
function diary(name: string, entries: string[]): Handler {
  return {
    name,
    receive: () => void entries.push(`${name} receive`),
    beforeSend: () => void entries.push(`${name} send`),
    start: () => void entries.push(`${name} start`),
    close: () => void entries.push(`${name} close`),
  };
}

describe("a receive chain", () => {
  it("gives a packet to each handler in turn until one claims it", async () => {
    const entries: string[] = [];
    const { verdict, by } = await ask([diary("a", entries), busy, diary("b", entries)], INVITE);
    expect(typeof verdict === "object" && verdict.status).toBe(486);
    expect(by).toBe("busyHere");
    expect(entries).toContain("a receive");
    expect(entries).not.toContain("b receive");
  });

  it("waits only for what is a promise", () => {
    const chain = new ReceiveChain([() => undefined, () => false, () => "drop"]);
    const packet = Request.parse(completeRequest(INVITE));
    const outcome = chain.receive(packet, {} as never, {} as never);
    expect(outcome).toBe("drop");
  });

  it("goes on after an asynchronous handler that passes", async () => {
    const { by } = await ask(
      [async () => undefined, async (): Promise<false> => false, busy],
      INVITE,
    );
    expect(by).toBe("busyHere");
  });

  it("lets only its methods in, of a response its CSeq method", async () => {
    const seen: string[] = [];
    const chain = new ReceiveChain([(packet) => void seen.push(packet.method)], {
      methods: ["OPTIONS"],
    });
    await ask(chain, INVITE);
    await ask(chain, "OPTIONS sip:bob@example.com SIP/2.0");
    const response =
      "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx\nFrom: <sip:a@b>;tag=1\n" +
      "To: <sip:b@b>;tag=2\nCall-ID: x\nCSeq: 1 OPTIONS\n\n";
    await ask(chain, response);
    expect(seen).toEqual(["OPTIONS", "OPTIONS"]);
  });

  it("lets only what its filter says yes to in", async () => {
    const chain = new ReceiveChain([busy], { filter: (_packet, _leg, from) => from.port === 7 });
    expect((await ask(chain, INVITE)).by).toBeUndefined();
    expect((await ask(chain, INVITE, { from: { port: 7 } })).by).toBe("busyHere");
  });

  it("starts and closes each handler once, also one that stands in it twice", async () => {
    const entries: string[] = [];
    const shared = diary("shared", entries);
    const inner = new ReceiveChain([shared, diary("inner", entries)]);
    await ask([shared, inner, inner], "OPTIONS sip:192.0.2.1 SIP/2.0");
    expect(entries.filter((entry) => !/receive|send/.test(entry))).toEqual([
      "shared start",
      "inner start",
      "inner close",
      "shared close",
    ]);
  });

  it("runs beforeSend in reverse order under the enclosing chain's methods", async () => {
    const entries: string[] = [];
    const chain = [
      diary("a", entries),
      new ReceiveChain([diary("register", entries)], { methods: ["REGISTER"] }),
      new ReceiveChain([diary("b", entries), diary("c", entries)]),
      busy,
    ];
    await ask(chain, INVITE);
    expect(entries.filter((entry) => entry.endsWith("send"))).toEqual([
      "c send",
      "b send",
      "a send",
    ]);
  });

  it("tells what its members allow, within its own methods", () => {
    const chain = new ReceiveChain([onRequest(["INVITE", "BYE"], () => undefined), busy]);
    expect(chain.allows).toEqual(["INVITE", "BYE"]);
    expect(new ReceiveChain([chain], { methods: ["BYE"] }).allows).toEqual(["BYE"]);
  });

  it("publishes every step while somebody listens", async () => {
    const steps: string[] = [];
    const listen = (message: unknown): void => {
      const { handler, verdict } = message as ChainStep;
      steps.push(`${handler} ${typeof verdict === "object" ? verdict.status : verdict}`);
    };
    chainChannel.subscribe(listen);
    try {
      await ask([async function first() {}, busy], INVITE);
    } finally {
      chainChannel.unsubscribe(listen);
    }
    expect(steps).toContain("first undefined");
    expect(steps).toContain("busyHere 486");
  });
});

describe("wrap", () => {
  it("runs code around a handler and keeps its name, hooks and life cycle", async () => {
    const entries: string[] = [];
    const wrapped = wrap(diary("inner", entries), async (next) => {
      entries.push("before");
      const verdict = await next();
      entries.push("after");
      return verdict;
    });
    expect(wrapped.name).toBe("inner");
    await ask([wrapped, busy], INVITE);
    expect(entries).toEqual([
      "inner start",
      "before",
      "inner receive",
      "after",
      "inner send",
      "inner close",
    ]);
  });

  it("can keep a packet from the handler", async () => {
    const { verdict, sent } = await ask(
      wrap(busy, () => "drop"),
      INVITE,
    );
    expect(verdict).toBe("drop");
    expect(sent).toEqual([]);
  });
});

describe("a handler that breaks the contract", () => {
  const faults: readonly (readonly [string, () => unknown, string])[] = [
    [
      "throws",
      () => {
        throw new TypeError("oops");
      },
      "SIP_HANDLER_THREW",
    ],
    [
      "rejects",
      async () => {
        throw new TypeError("oops");
      },
      "SIP_HANDLER_THREW",
    ],
    [
      "throws what is no error",
      () => {
        throw null;
      },
      "SIP_HANDLER_THREW",
    ],
    ["gives a number", () => 486, "SIP_BAD_VERDICT"],
    ["gives true", () => true, "SIP_BAD_VERDICT"],
    ["gives null", () => null, "SIP_BAD_VERDICT"],
    ["gives an object", async () => ({}), "SIP_BAD_VERDICT"],
  ];

  it.each(faults)("that %s is named, and the sender gets a 500", async (_what, receive, code) => {
    const server = await TestServer.start({
      name: "culprit",
      receive: receive as Handler["receive"],
    });
    const { sent } = await server.ask(INVITE);
    expect(sent.map((packet) => !packet.isRequest && packet.status)).toEqual([500]);
    expect(server.errors.map((error) => error.code)).toEqual([code]);
    expect(server.errors[0]?.message).toContain("culprit");
    const next = await server.ask(
      "OPTIONS sip:192.0.2.1 SIP/2.0\nCall-ID: other\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKother",
    );
    expect(next.sent).toHaveLength(1);
    await server.close();
  });

  it("gets nothing sent to an ACK", async () => {
    const server = await TestServer.start(() => {
      throw new Error("oops");
    });
    const { sent } = await server.ask("ACK sip:bob@example.com SIP/2.0");
    expect(sent).toEqual([]);
    expect(server.errors).toHaveLength(1);
    await server.close();
  });

  it("that gives a provisional response as its verdict is named", async () => {
    const server = await TestServer.start(
      onRequest("INVITE", (request) => request.createResponse(180)),
    );
    const { sent } = await server.ask(INVITE);
    expect(sent.map((packet) => !packet.isRequest && packet.status)).toEqual([500]);
    expect(server.errors.map((error) => error.code)).toEqual(["SIP_BAD_VERDICT"]);
    await server.close();
  });
});

describe("a CANCEL of what left no transaction, RFC 3261 §16.11", () => {
  const CANCEL = "CANCEL sip:bob@example.com SIP/2.0";
  const taker: Handler = { name: "taker", takesCancel: true, receive: () => "forwarded" };

  it("walks the chain where a handler takes it, wrapped and nested as it may be", async () => {
    const around = wrap(taker, (next) => next());
    const { verdict, by } = await ask(new ReceiveChain([() => {}, around]), CANCEL);
    expect([verdict, by]).toEqual(["forwarded", "taker"]);
  });

  it("is answered 481 when all of them pass it on, or none takes it", async () => {
    const passing: Handler = { takesCancel: true, receive() {} };
    for (const handler of [passing, wrap(passing, (next) => next()), () => "drop" as const]) {
      const { by, sent } = await ask(handler, CANCEL);
      expect(by).toBeUndefined();
      expect(sent.map((packet) => !packet.isRequest && packet.status)).toEqual([481]);
    }
  });

  it("is answered 200 when there is something to cancel, whoever takes it", async () => {
    const server = await TestServer.start([onRequest("INVITE", () => "later"), taker]);
    await server.ask("INVITE sip:bob@example.com SIP/2.0");
    const { by, sent } = await server.ask(CANCEL);
    expect(by).toBeUndefined();
    expect(sent.map((packet) => !packet.isRequest && packet.status).toSorted()).toEqual([200, 487]);
    await server.close();
  });
});
