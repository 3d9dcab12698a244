import { describe, expect, it } from "vitest";
import { Blocker } from "../../chain/blocker.ts";
import { Dropper } from "../../chain/dropper.ts";
import { byField } from "../../chain/dropper-by-field.ts";
import { byRate } from "../../chain/dropper-by-rate.ts";
import type { AnyHandler, Handler, Packet, Receive, Verdict } from "../../chain/handler.ts";
import { onRequest } from "../../chain/on-request.ts";
import { ReceiveChain } from "../../chain/receive-chain.ts";
import type { Server } from "../../chain/server.ts";
import type { Clock, Timer } from "../../clock.ts";
import { packetKey } from "../../message/packet-key.ts";
import type { Request } from "../../message/request.ts";
import { Response } from "../../message/response.ts";
import { describeHandler, type HandlerSuiteOptions } from "./describe-handler.ts";

const INVITE = "INVITE sip:bob@example.com SIP/2.0";
const MESSAGE = "MESSAGE sip:bob@example.com SIP/2.0";

describeHandler(
  "Blocker",
  () => new Blocker({ block: { INVITE: 405 } }),
  { describe, it },
  {
    takes: [INVITE],
    ignores: [MESSAGE],
  },
);

describeHandler(
  "Dropper",
  () =>
    new Dropper({
      by: [
        byField({ "user-agent": /x/, from: "mallory", subject: (value) => value === "" }),
        byRate({ attempts: 1000, interval: 10_000, maxAddresses: 1 }),
      ],
    }),
  { describe, it },
  { takes: [`${INVITE}\nUser-Agent: x`], ignores: [INVITE] },
);

describeHandler("a function", () => (packet) => packet.method === "INFO" && "drop", {
  describe,
  it,
});

describeHandler(
  "a chain",
  () => new ReceiveChain([onRequest("INVITE", async (request) => request.createResponse(486))]),
  { describe, it },
  { takes: [INVITE] },
);

/** Runs those tests of a suite whose title matches, and gives the titles of those that fail, with why. */
async function failures(
  create: () => AnyHandler,
  options?: HandlerSuiteOptions,
  only = /./,
): Promise<ReadonlyMap<string, string>> {
  const tests: (readonly [title: string, run: () => Promise<void>])[] = [];
  const functions = {
    describe: (_name: string, define: () => void) => define(),
    it: (title: string, run: () => Promise<void>) => tests.push([title, run]),
  };
  describeHandler("bad", create, functions, options);
  const failed = new Map<string, string>();
  const chosen = tests.filter(([title]) => only.test(title));
  expect(chosen.length).toBeGreaterThan(0);
  for (const [title, run] of chosen) {
    await run().catch((error: Error) => failed.set(title, error.message));
  }
  return failed;
}

const fact = packetKey<string>("nobody sets it");

/** A handler with a timer that comes again and again. */
class Ticking implements Handler {
  readonly #closes: boolean;
  #timer: Timer | undefined;

  constructor(closes: boolean) {
    this.#closes = closes;
  }

  start({ clock }: Server): void {
    this.#tick(clock);
  }

  close(): void {
    if (this.#closes) this.#timer?.cancel();
  }

  receive(): void {}

  #tick(clock: Clock): void {
    this.#timer = clock.setTimer(1000, () => this.#tick(clock));
  }
}

/** A handler with the dispatcher at hand. */
class Delivering implements Handler {
  readonly #say: (packet: Packet, server: Server) => Verdict;
  #server: Server | undefined;

  constructor(say: (packet: Packet, server: Server) => Verdict) {
    this.#say = say;
  }

  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet): Verdict {
    return this.#server === undefined ? undefined : this.#say(packet, this.#server);
  }
}

const bad =
  (verdict: unknown): Receive =>
  (packet) =>
    (packet.isRequest ? verdict : undefined) as Verdict;

interface Fault {
  readonly what: string;
  readonly create: () => AnyHandler;
  readonly options?: HandlerSuiteOptions;
  /** The test that must fail, and why. */
  readonly test: RegExp;
  readonly why: RegExp;
}

const onInfo = (say: (info: Request, server: Server) => Verdict): Handler =>
  new Delivering((packet, server) =>
    packet.isRequest && packet.method === "INFO" ? say(packet, server) : undefined,
  );

const fail = (why: string): never => {
  throw new Error(why);
};

const faults: readonly Fault[] = [
  {
    what: "claims everything",
    create: () => () => "drop",
    test: /passes on/,
    why: /claimed SIPKIT/,
  },
  {
    what: "claims what others should have",
    create: () => onRequest(["INVITE", "MESSAGE"], () => "drop"),
    options: { ignores: [MESSAGE] },
    test: /passes on/,
    why: /claimed MESSAGE/,
  },
  {
    what: "passes on its own",
    create: () => () => undefined,
    options: { takes: [INVITE] },
    test: /takes what is its own/,
    why: /passed on INVITE/,
  },
  {
    what: "gives what is no verdict",
    create: () => bad(486),
    test: /right verdict/,
    why: /SIP_BAD_VERDICT/,
  },
  {
    what: "gives a provisional response",
    create: () => onRequest("INFO", (info) => info.createResponse(100)),
    test: /right verdict/,
    why: /SIP_BAD_VERDICT/,
  },
  {
    what: "answers an ACK",
    create: () => onRequest("ACK", (ack) => ack.createResponse(200)),
    test: /right verdict/,
    why: /SIP_BAD_VERDICT/,
  },
  {
    what: "answers a response",
    create: () => (packet) => (packet.isRequest ? undefined : packet),
    test: /responses/,
    why: /SIP_BAD_VERDICT/,
  },
  {
    what: "answers twice",
    create: () =>
      onInfo((info, server) => {
        server.deliver(info.createResponse(486));
        return info.createResponse(200);
      }),
    test: /right verdict/,
    why: /SIP_ANSWERED_TWICE/,
  },
  {
    what: "answers twice, the first time behind the dispatcher's back",
    create: () =>
      onInfo((info, server) => {
        const { headers } = info.createResponse(486);
        server.deliver(new Response(486, { headers }));
        return info.createResponse(200);
      }),
    test: /right verdict/,
    why: /INFO: 486 and 200/,
  },
  {
    what: "never answers",
    create: () => onRequest("MESSAGE", () => "later"),
    test: /right verdict/,
    why: /SIP_UNANSWERED/,
  },
  {
    what: "waits for ever",
    create: () => onRequest("MESSAGE", () => new Promise<Verdict>(() => {})),
    test: /keeps nothing alive/,
    why: /pendingHandlers/,
  },
  {
    what: "needs a fact that nobody sets",
    create: () => (packet) => {
      packet.need(fact);
    },
    test: /right verdict/,
    why: /SIP_HANDLER_THREW/,
  },
  {
    what: "throws later",
    create: () => async (packet) => {
      await null;
      if (packet.method === "INFO") fail("late");
    },
    test: /right verdict/,
    why: /late/,
  },
  {
    what: "throws on the way out",
    create: () => ({ receive() {}, beforeSend: () => fail("out") }),
    test: /right verdict/,
    why: /out/,
  },
  {
    what: "can't read the URI of a message of RFC 4475",
    create: () => (packet) => {
      if (packet.isRequest && packet.uri.includes("%3A")) fail(packet.uri);
    },
    test: /RFC 4475/,
    why: /SIP_HANDLER_THREW/,
  },
  {
    what: "repeats a header in a reason phrase",
    create: () =>
      onRequest("INVITE", (invite) =>
        invite.createResponse(486, { reason: invite.headers.get("subject") ?? "" }),
      ),
    test: /into the headers of INVITE/,
    why: /Subject: /,
  },
  {
    what: "believes a header to say something",
    create: () => (packet) => {
      if (packet.headers.get("expires") === "") fail("empty");
    },
    test: /into the headers of REGISTER/,
    why: /empty/,
  },
  {
    what: "trips over a response",
    create: () => (packet) => {
      if (!packet.isRequest && packet.headers.getAll("retry-after").length > 1) fail("many");
    },
    test: /headers of responses/,
    why: /many/,
  },
  {
    what: "leaves a timer",
    create: () => new Ticking(false),
    test: /as soon as it has started/,
    why: /timers that are still set/,
  },
  {
    what: "leaves a timer of what it is at",
    create: () =>
      onInfo((_info, { clock }) => {
        clock.setTimer(500_000, () => {});
        return undefined;
      }),
    test: /whatever it was at/,
    why: /timers that are still set/,
  },
  {
    what: "can't be closed before it has started",
    create: () => {
      let isStarted = false;
      return {
        receive() {},
        start() {
          isStarted = true;
        },
        close: () => (isStarted ? undefined : fail("not started")),
      };
    },
    test: /before it has started/,
    why: /not started/,
  },
  {
    what: "can't be closed twice",
    create: () => {
      let times = 0;
      return {
        receive() {},
        close() {
          times += 1;
          if (times > 1) fail("closed twice");
        },
      };
    },
    test: /twice after it has served/,
    why: /closed twice/,
  },
];

describe("describeHandler", () => {
  it("finds no fault with a handler that does what it should", async () => {
    expect(await failures(() => new Ticking(true))).toEqual(new Map());
  });

  it.each(faults)("finds out who $what", async ({ create, options, test, why }) => {
    const failed = await failures(create, options, test);
    const [message] = failed.values();
    expect(message).toMatch(why);
  });
});
