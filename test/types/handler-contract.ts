/**
 * Right uses of the handler contract, which must compile, and wrong ones, which must not: `tsc` is the test. Every rule
 * that a type can hold has its line here.
 */
import {
  type AnyHandler,
  Dispatcher,
  type DispatcherOptions,
  type Handler,
  type HeaderField,
  onRequest,
  type Packet,
  type PacketKey,
  packetKey,
  parseLeg,
  type Receive,
  ReceiveChain,
  Reject,
  type Request,
  type Verdict,
  wrap,
} from "@sipkit/core";
import { ask } from "@sipkit/core/testing";

declare function use(...values: readonly unknown[]): void;
declare function lookup(user: string): Promise<boolean>;
declare function log(text: string): void;

interface Tenant {
  readonly id: string;
}
const tenant: PacketKey<Tenant> = packetKey("acme tenant");
const banned = new Set<string>();

// Bare functions: a claim, an answer, a logger that returns nothing, asynchronous ones.
const dropScanners: Receive = (packet) =>
  packet.isRequest && /friendly-scanner/i.test(packet.headers.get("user-agent") ?? "") && "drop";
const doNotDisturb = onRequest("INVITE", (request) => request.createResponse(486));
const narrowing: Receive = (packet) => {
  if (packet.isRequest) {
    packet.uri = "sip:x";
    return;
  }
  const answered: Request | undefined = packet.request;
  use(packet.status, answered);
};
const loggers: Receive[] = [
  (packet) => {
    log(packet.callId);
  },
  async (packet) => {
    await null;
    log(packet.callId);
  },
];
const blockUnknown = onRequest("*", async (request) => {
  if (await lookup(request.uri)) return;
  return request.createResponse(404);
});
const severalMethods = onRequest(["INVITE", "MESSAGE", "X-OWN"], async (request) =>
  (await lookup(request.uri)) ? undefined : request.createResponse(404),
);
const rejecting = onRequest("*", async () => {
  throw new Reject(503, { headers: { "Retry-After": "5" } });
});

// Classes, with hooks and without.
class Logger implements Handler {
  receive(packet: Packet): void {
    log(packet.callId);
  }
}
class Counter implements Handler {
  readonly name = "counter";
  #count = 0;
  receive(packet: Packet): Verdict {
    if (packet.isRequest) this.#count += 1;
    return undefined;
  }
  beforeSend(packet: Packet): void {
    if (!packet.isRequest) packet.headers.set("Server", `x${this.#count}`);
  }
  start(dispatcher: Dispatcher): void {
    dispatcher.clock.setTimer(1000, () => {
      this.#count = 0;
    });
  }
  close(): void {}
}

// Chains nest; objects in place; facts and header fields of a third party's own; code around a handler.
const nested = new ReceiveChain(
  [
    dropScanners,
    ...loggers,
    new Logger(),
    new Counter(),
    blockUnknown,
    new ReceiveChain([doNotDisturb], { methods: ["REGISTER"] }),
    { receive: (packet) => (packet.isRequest ? undefined : "drop") },
    {
      name: "inline",
      receive: async (_packet, _leg, from) => (from.port === 0 ? "drop" : undefined),
    },
  ],
  { filter: (packet) => packet.isRequest },
);
const setTenant = onRequest("*", (request) => {
  request.set(tenant, { id: "a" });
});
const useTenant = onRequest("*", (request) => {
  const known: Tenant = request.need(tenant);
  const id: string | undefined = request.get(tenant)?.id;
  return known.id === id ? "drop" : undefined;
});
const stamp: Handler = {
  receive() {},
  beforeSend(packet) {
    const id = packet.isRequest ? undefined : packet.request?.get(tenant)?.id;
    if (id !== undefined) packet.headers.set("X-Tenant", id);
  },
};
const sessionExpires: HeaderField<{ seconds: number }> = {
  name: "session-expires",
  compact: "x",
  parse: (value) => ({ seconds: Number(value) }),
  format: ({ seconds }) => `${seconds}`,
};
const reading: Receive = (packet) => {
  const seconds: number | undefined = packet.headers.read(sessionExpires)?.seconds;
  use(seconds);
};
const timed = (inner: AnyHandler): Handler =>
  wrap(inner, async (next) => {
    try {
      return await next();
    } finally {
      log("done");
    }
  });
const guarded = wrap(nested, (next, packet) => (packet.isRequest ? next() : undefined));
const options: DispatcherOptions = {
  legs: ["udp:127.0.0.1:5060", { listen: "tls:[::]:5061", advertise: "sip.example.com" }],
  domains: ["example.com"],
  receiver: [timed(nested), guarded],
};
const { verdict } = await ask(doNotDisturb, "INVITE sip:a@b SIP/2.0\r\n\r\n", {
  from: { address: "10.0.0.1" },
});
if (typeof verdict === "object") use(verdict.status);
use(narrowing, severalMethods, rejecting, setTenant, useTenant, stamp, reading, options);
use(new Dispatcher({ legs: ["udp:127.0.0.1:0"].map(parseLeg), receiver: nested }));

// ---- what must not compile ----
const wrongFunctions: Receive[] = [
  // @ts-expect-error a boolean does not drop a packet in silence
  (_packet, _leg, from) => banned.has(from.address),
  // @ts-expect-error a truthy string
  (packet) => packet.headers.get("x"),
  // @ts-expect-error a truthy string behind &&
  (packet) => packet.isRequest && packet.headers.get("x"),
  // @ts-expect-error a number
  () => 486,
  // @ts-expect-error a number, later
  async () => 486,
  // @ts-expect-error a Promise<boolean>, for want of an await
  (packet) => (packet.isRequest ? lookup("x") : undefined),
  // @ts-expect-error the wrong kind of parameter
  (packet: string) => use(packet),
  // @ts-expect-error a response has no createResponse: narrowing is needed
  (packet) => packet.method === "INVITE" && packet.createResponse(486),
  // @ts-expect-error a typo in a verdict
  () => "dropped",
  // @ts-expect-error fetch's Response
  () => new globalThis.Response(),
  // @ts-expect-error Koa's style: the second parameter is a leg
  async (_packet, next) => await next(),
  async () => {
    // @ts-expect-error a promise is always true
    if (lookup("x")) return "drop";
    return;
  },
];
const wrongHandlers: Handler[] = [
  // @ts-expect-error a misspelt method name
  { recieve() {} },
  // @ts-expect-error beforeSend is synchronous
  { receive() {}, async beforeSend() {} },
];
class GivesBoolean implements Handler {
  // @ts-expect-error a class with a wrong verdict
  receive(packet: Packet): boolean {
    return packet.isRequest;
  }
}
// @ts-expect-error a class without receive
class LacksReceive implements Handler {
  recv(): void {}
}
// @ts-expect-error a key of another type
const wrongKey: PacketKey<Tenant> = packetKey<number>("n");
// @ts-expect-error an unknown transport
const wrongLeg: DispatcherOptions = { legs: ["upd:127.0.0.1:5060"] };
const wrongFact = onRequest("*", (request) => {
  // @ts-expect-error the wrong value for a key
  request.set(tenant, { name: "x" });
});
use(wrongFunctions, wrongHandlers, GivesBoolean, LacksReceive, wrongKey, wrongLeg, wrongFact);
