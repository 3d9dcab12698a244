import { lateTargets, type Request, type Target, targetGone, targets } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../memory-store.ts";
import type { RegistrarOptions } from "../registrar-options.ts";
import {
  ALICE,
  contactsOf,
  distant,
  inMemory,
  type Register,
  register,
  request,
  type Setup,
  setUp,
} from "../test-kit/registrar-kit.ts";
import type { PushNotification, PushOptions } from "./push-options.ts";

const TOKEN = "ZTY4ZDJlMzODE1NmUgKi0K";
const INSTANCE = '+sip.instance="<urn:uuid:1>"';

interface Site extends Setup {
  readonly pushed: PushNotification[];
}

async function site(push: Partial<PushOptions> = {}, more: RegistrarOptions = {}): Promise<Site> {
  const pushed: PushNotification[] = [];
  const set = await setUp({
    push: {
      awakeFor: 0,
      providers: {
        acme: (notification) => {
          pushed.push(notification);
        },
      },
      ...push,
    },
    ...more,
  });
  return { ...set, pushed };
}

interface Device {
  readonly port?: number;
  readonly token?: string;
  readonly tail?: string;
  readonly provider?: string;
}

function contact({
  port = 5060,
  token = TOKEN,
  tail = "",
  provider = "acme",
}: Device = {}): string {
  const push = `;pn-provider=${provider};pn-param=acme-param;pn-prid=${token}`;
  return `<sip:alice@192.0.2.100:${port}${push}>${tail}`;
}

function asleep(device: Device = {}, how: Register = {}): string {
  return register(contact(device), { callId: `phone-${device.port ?? 5060}`, ...how });
}

/** What a proxy sees of a request, and hears. */
class Call {
  readonly request: Request;
  readonly found: (readonly string[])[] = [];
  settled = 0;
  readonly end: () => void;

  constructor(request: Request) {
    this.request = request;
    const late = request.get(lateTargets);
    if (late === undefined) throw new Error("nobody is woken");
    this.end = late.watch({
      found: (more) => this.found.push(more.map(({ uri }) => uri)),
      settled: () => {
        this.settled += 1;
      },
    });
  }
}

async function ask(at: Site, method = "INVITE", uri = ALICE): Promise<Request> {
  at.passed.length = 0;
  await at.server.ask(request(method, uri));
  const [passed] = at.passed;
  if (passed === undefined) throw new Error("the request went no further");
  return passed;
}

async function call(at: Site, method?: string, uri?: string): Promise<Call> {
  return new Call(await ask(at, method, uri));
}

const urisOf = (asked: Request): readonly string[] =>
  (asked.get(targets) ?? []).map(({ uri }: Target) => uri);

describe("Registrar, what a Contact asks for, RFC 8599 §5.6.1", () => {
  it.each([
    ["the service that is named", contact(), ['*;+sip.pns="acme"']],
    ["it in any case", contact({ provider: "ACME" }), ['*;+sip.pns="acme"']],
    [
      "when to come by itself, to who can",
      contact({ tail: ";+sip.pnsreg" }),
      ['*;+sip.pns="acme";+sip.pnsreg="130"'],
    ],
    ["a query for one", "<sip:alice@192.0.2.100;pn-provider=acme>", ['*;+sip.pns="acme"']],
    [
      "a query for all",
      "<sip:alice@192.0.2.100;pn-provider>",
      ['*;+sip.pns="acme"', '*;+sip.pns="other.one"'],
    ],
    ["nothing to who asks for nothing", "<sip:alice@192.0.2.100>", []],
    ["nothing where the parameters are the Contact's", `<sip:a@192.0.2.9>;pn-provider=acme`, []],
  ])("tells %s", async (_what, value, caps) => {
    const nothing = (): void => undefined;
    const { answer } = await site({ providers: { acme: nothing, "other.one": nothing } });
    const response = await answer(register(value));
    expect([response.status, response.headers.getAll("feature-caps")]).toEqual([200, caps]);
  });

  it.each([
    [0, ';+sip.pnsreg="130"'],
    [119, ""],
    [150, ';+sip.pnsreg="160"'],
  ])("tells who can wake itself when to, by refreshBefore: %s", async (refreshBefore, told) => {
    const { answer } = await site({ refreshBefore });
    const response = await answer(asleep({ tail: ";+sip.pnsreg" }));
    expect(response.headers.getAll("feature-caps")).toEqual([`*;+sip.pns="acme"${told}`]);
  });

  it.each(["nobody", "__proto__", "constructor", "toString", "a%00"])(
    "answers 555 to the service %s",
    async (provider) => {
      const { answer, uris, server } = await site();
      const response = await answer(asleep({ provider }));
      expect([response.status, response.reason]).toEqual([
        555,
        "Push Notification Service Not Supported",
      ]);
      expect(await uris()).toEqual([]);
      expect(server.dispatcher.counters().registrationsForUnknownPush).toBe(1);
      expect((await answer(register(`<sip:a@192.0.2.9;pn-provider=${provider}>`))).status).toBe(
        555,
      );
    },
  );

  it("leaves a service that it doesn't have to the server before it that has, and lets go who goes", async () => {
    const { answer } = await site();
    const lines = ['Feature-Caps: *;+sip.pns="nobody"'];
    expect((await answer(asleep({ provider: "nobody" }, { lines }))).status).toBe(200);
    const gone = await answer(asleep({ provider: "nobody", tail: ";expires=0" }));
    expect([gone.status, contactsOf(gone)]).toEqual([200, []]);
  });

  it("takes push parameters for any others where no push is configured", async () => {
    const { answer, uris } = await setUp();
    const response = await answer(asleep({ provider: "nobody", tail: ";expires=60" }));
    expect([response.status, response.headers.has("feature-caps")]).toEqual([200, false]);
    expect(await uris()).toEqual([expect.stringContaining(TOKEN)]);
  });

  it.each([
    ["a parameter twice", `<sip:a@192.0.2.9;pn-provider=acme;pn-prid=a;PN-PRID=b>`, 400],
    ["a token without a value", `<sip:a@192.0.2.9;pn-provider=acme;pn-prid>`, 400],
    ["an empty token", `<sip:a@192.0.2.9;pn-provider=acme;pn-prid=>`, 400],
    ["a token of 4 kB", contact({ token: "x".repeat(4096) }), 403],
    ["a time that is over before it could be woken", contact({ tail: ";expires=179" }), 423],
  ])("refuses %s", async (_what, value, status) => {
    const { answer, uris } = await site();
    const response = await answer(register(value));
    expect(response.status).toBe(status);
    expect(response.toWire()).not.toContain("xxxx");
    expect(await uris()).toEqual([]);
    if (status === 423) expect(response.headers.get("min-expires")).toBe("180");
  });

  it("grants as much as must be asked for, and no less with jitter", async () => {
    const { answer } = await site({}, { expiresJitter: 0.9 });
    const response = await answer(asleep({ tail: ";expires=181" }));
    expect(contactsOf(response)[0]).toMatch(/;expires=18[01]$/);
  });
});

describe("Registrar, which device it is, RFC 8599 §4.1.3", () => {
  it.each(["uri", "call-id", "instance", { param: "line" }] as const)(
    "knows it by its token at another address, whatever is compared else: %j",
    async (matching) => {
      const { answer, uris } = await site({}, { matching });
      await answer(asleep({ port: 1001 }));
      await answer(asleep({ port: 1002 }));
      expect(await uris()).toEqual([expect.stringContaining(":1002")]);
      await answer(asleep({ port: 1003, tail: ";expires=0" }));
      expect(await uris()).toEqual([]);
    },
  );

  it("tells two tokens, services and params apart", async () => {
    const nothing = (): void => undefined;
    const { answer, uris } = await site({ providers: { acme: nothing, other: nothing } });
    await answer(asleep({ port: 1 }));
    await answer(asleep({ port: 2, token: TOKEN.toLowerCase() }));
    await answer(asleep({ port: 3, provider: "other" }));
    await answer(register(contact({ port: 4 }).replace("acme-param", "else"), { callId: "4" }));
    expect(await uris()).toHaveLength(4);
  });

  it("knows it by its instance when the service has given it another token", async () => {
    const { answer, uris } = await site();
    await answer(asleep({ port: 1, tail: `;${INSTANCE}` }));
    await answer(asleep({ port: 2, token: "renewed", tail: `;${INSTANCE}` }));
    expect(await uris()).toEqual([expect.stringContaining("pn-prid=renewed")]);
  });

  it("keeps flows of a device apart, RFC 5626", async () => {
    const { answer, uris } = await site();
    const lines = ["Supported: outbound"];
    for (const id of [1, 2]) {
      await answer(asleep({ port: id, tail: `;reg-id=${id};${INSTANCE}` }, { lines }));
    }
    expect(await uris()).toHaveLength(2);
    await answer(asleep({ port: 3, token: "renewed", tail: `;${INSTANCE}` }));
    expect(await uris()).toHaveLength(3);
  });

  it("replaces what it had before it asked for push, and goes without its token", async () => {
    const { answer, uris } = await site();
    await answer(register("<sip:alice@192.0.2.100:5060>"));
    await answer(asleep());
    expect(await uris()).toEqual([expect.stringContaining(TOKEN)]);
    await answer(register("<sip:alice@192.0.2.100:5060;pn-provider=acme>;expires=0"));
    expect(await uris()).toEqual([]);
  });
});

describe("Registrar, who sees a token, RFC 8599 §13", () => {
  it("shows it to its own device alone", async () => {
    const { answer } = await site();
    const own = await answer(asleep({ port: 1 }));
    expect(contactsOf(own)[0]).toContain(TOKEN);
    const other = await answer(asleep({ port: 2, token: "secret" }));
    expect(contactsOf(other).map((each) => each.includes("pn-"))).toEqual([true, false]);
    const fetched = await answer(register(undefined));
    expect(fetched.toWire()).not.toContain("pn-");
    expect(contactsOf(fetched)).toHaveLength(2);
  });

  it("sends none on, not to its own device either", async () => {
    const at = await site();
    const uri =
      "sip:pn-prid=x;pn-prid=y@192.0.2.9;a=b;PN-Prid=s%65cret;pn-provider=acme;pn-purr=p;c;pn-x=1?h=v";
    await at.answer(register(`<${uri}>`));
    const asked = await ask(at, "OPTIONS");
    expect(urisOf(asked)).toEqual(["sip:pn-prid=x;pn-prid=y@192.0.2.9;a=b;c;pn-x=1"]);
    expect(asked.uri).toBe("sip:pn-prid=x;pn-prid=y@192.0.2.9;a=b;c;pn-x=1");
  });

  it("leaves it to the server that wakes the device, where that is another one", async () => {
    const at = await site();
    const lines = ['Feature-Caps: *;+sip.pns="other"'];
    await at.answer(asleep({ provider: "other" }, { lines }));
    expect(urisOf(await ask(at))).toEqual([expect.stringContaining(TOKEN)]);
  });

  it("tells the operator of what a hook threw without it", async () => {
    const at = await site({
      providers: {
        acme: ({ prid }) =>
          Promise.reject(new Error(`404 /devices/${prid}?x=${encodeURIComponent(prid)}`)),
      },
    });
    await at.answer(asleep({ token: "a%2Fb" }));
    const held = await call(at);
    await at.server.clock.advance(10);
    expect(held.settled).toBe(1);
    expect(at.server.errors.map(({ code, message, cause }) => [code, message, cause])).toEqual([
      ["SIP_PUSH", "acme took no push: 404 /devices/…?x=…", undefined],
    ]);
  });
});

describe("Registrar, requests to devices that sleep, RFC 8599 §5.6.2", () => {
  it("wakes the device when somebody waits, and tells where it is when it comes", async () => {
    const at = await site();
    await at.answer(asleep({ port: 1 }));
    const asked = await ask(at);
    expect([urisOf(asked), asked.uri, at.pushed]).toEqual([[], ALICE, []]);
    const held = new Call(asked);
    expect(at.pushed).toEqual([
      {
        provider: "acme",
        param: "acme-param",
        prid: TOKEN,
        addressOfRecord: ALICE,
        reason: "call",
        method: "INVITE",
        from: asked.from.uri,
        callId: asked.callId,
      },
    ]);
    await at.server.clock.advance(2000);
    await at.answer(asleep({ port: 2 }));
    await at.server.clock.advance(0);
    expect(held.found).toEqual([["sip:alice@192.0.2.100:2"]]);
    expect(held.settled).toBe(1);
    await at.answer(asleep({ port: 3 }));
    await at.server.clock.advance(60_000);
    expect([held.found.length, held.settled]).toEqual([1, 1]);
  });

  it.each(['"se;cret"', "se cret"])(
    "takes no token for one that is no part of a URI: %s",
    async (token) => {
      const at = await site();
      expect((await at.answer(asleep({ token }))).status).toBe(400);
    },
  );

  it("takes escapes off what it hands to the hook", async () => {
    const at = await site();
    await at.answer(asleep({ token: "a%2Fb%3D" }));
    await call(at);
    expect(at.pushed[0]?.prid).toBe("a/b=");
  });

  it("gives up after the wait, and still tells of who comes later", async () => {
    const at = await site({ wait: 3000 });
    await at.answer(asleep({ port: 1 }));
    const held = await call(at);
    await at.server.clock.advance(2999);
    expect(held.settled).toBe(0);
    await at.server.clock.advance(1);
    expect(held.settled).toBe(1);
    expect(at.server.dispatcher.counters().pushesUnanswered).toBe(1);
    await at.server.clock.advance(29_000);
    await at.answer(asleep({ port: 2 }));
    await at.server.clock.advance(0);
    expect([held.found.length, held.settled]).toEqual([1, 1]);
  });

  it("tells of nobody once the request has its answer, or after half a minute more", async () => {
    const at = await site();
    await at.answer(asleep({ port: 1 }));
    const ended = await call(at);
    ended.end();
    await at.server.clock.advance(5001);
    const long = await call(at);
    await at.server.clock.advance(36_000);
    await at.answer(asleep({ port: 2 }));
    await at.server.clock.advance(10);
    expect([ended.found, ended.settled, long.found]).toEqual([[], 0, []]);
  });

  it("gives the device that is there at once, and has the other woken", async () => {
    const at = await site();
    await at.answer(asleep({ port: 1 }));
    await at.answer(register("<sip:alice@192.0.2.100:9>", { callId: "desk" }));
    const asked = await ask(at);
    expect(urisOf(asked)).toEqual(["sip:alice@192.0.2.100:9"]);
    const held = new Call(asked);
    // Not the one that is awaited.
    await at.answer(register("<sip:alice@192.0.2.100:9>", { callId: "desk" }));
    await at.server.clock.advance(10);
    expect([held.found, held.settled]).toEqual([[], 0]);
  });

  it("waits for all that sleep", async () => {
    const at = await site();
    await at.answer(asleep({ port: 1 }));
    await at.answer(asleep({ port: 2, token: "second" }));
    const asked = await ask(at);
    expect(asked.get(lateTargets)?.expected).toBe(2);
    const held = new Call(asked);
    expect(at.pushed.map(({ prid }) => prid)).toEqual(["second", TOKEN]);
    await at.answer(asleep({ port: 3 }));
    await at.server.clock.advance(10);
    expect([held.found.length, held.settled]).toEqual([1, 0]);
    await at.answer(asleep({ port: 4, token: "second" }));
    await at.server.clock.advance(10);
    expect([held.found.length, held.settled]).toEqual([2, 1]);
  });

  it("tells of who comes as the wait ends, before it settles", async () => {
    const at = await site({ wait: 3000 });
    await at.answer(asleep({ port: 1, token: "first" }));
    await at.answer(asleep({ port: 2, token: "second" }));
    const order: string[] = [];
    const asked = await ask(at);
    let come = Promise.resolve();
    at.server.clock.setTimer(3000, () => {
      come = at.answer(asleep({ port: 11, token: "first" })).then(() => undefined);
    });
    asked.get(lateTargets)?.watch({
      found: () => order.push("found"),
      settled: () => order.push("settled"),
    });
    await at.server.clock.advance(3000);
    await come;
    await at.server.clock.advance(1);
    expect(order).toEqual(["found", "settled"]);
  });

  it("lets all come who do so in one instant", async () => {
    const at = await site();
    await at.answer(asleep({ port: 1, token: "first" }));
    await at.answer(asleep({ port: 2, token: "second" }));
    const held = await call(at);
    await at.answer(asleep({ port: 11, token: "first" }));
    await at.answer(asleep({ port: 12, token: "second" }));
    await at.server.clock.advance(0);
    expect([held.found.length, held.settled]).toEqual([2, 1]);
  });

  it.each([
    ["with another token", asleep({ port: 2, token: "renewed", tail: `;${INSTANCE}` })],
    ["without one", register(`<sip:alice@192.0.2.100:2>;${INSTANCE}`, { callId: "2" })],
  ])("knows a device that comes back %s by its instance", async (_what, text) => {
    const at = await site({}, { matching: "instance" });
    await at.answer(asleep({ port: 1, tail: `;${INSTANCE}` }));
    const held = await call(at);
    await at.answer(text);
    await at.server.clock.advance(10);
    expect([held.found, held.settled]).toEqual([[["sip:alice@192.0.2.100:2"]], 1]);
  });

  it.each(["MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY"])("wakes it for %s", async (method) => {
    const at = await site();
    await at.answer(asleep());
    await call(at, method);
    expect(at.pushed).toMatchObject([{ reason: "call", method }]);
  });

  it("goes by `methods`, and wakes nobody for others: they go where the device was last", async () => {
    const at = await site({ methods: ["MESSAGE"] });
    await at.answer(asleep({ port: 1 }));
    const asked = await ask(at);
    expect([urisOf(asked), asked.get(lateTargets)]).toEqual([
      ["sip:alice@192.0.2.100:1"],
      undefined,
    ]);
  });

  it("wakes nobody for what comes within a dialog", async () => {
    const at = await site();
    await at.answer(asleep());
    at.passed.length = 0;
    await at.server.ask(`${request("INVITE", ALICE)}\r\nTo: <${ALICE}>;tag=1`);
    expect(at.passed[0]?.get(lateTargets)).toBeUndefined();
  });

  it("wakes nobody who has just registered, for `awakeFor`", async () => {
    const at = await site({ awakeFor: 5000 });
    await at.answer(asleep({ port: 1 }));
    await at.server.clock.advance(4999);
    expect(urisOf(await ask(at))).toEqual(["sip:alice@192.0.2.100:1"]);
    await at.server.clock.advance(1);
    await call(at);
    expect(at.pushed).toHaveLength(1);
  });

  it("asks for a GRUU's device alone, RFC 5627", async () => {
    const at = await site();
    await at.answer(asleep({ port: 1, tail: `;${INSTANCE}` }));
    await at.answer(asleep({ port: 2, token: "other", tail: ';+sip.instance="<urn:uuid:2>"' }));
    const held = await call(at, "INVITE", `${ALICE};gr=urn:uuid:1`);
    expect(at.pushed.map(({ prid }) => prid)).toEqual([TOKEN]);
    await at.answer(asleep({ port: 3, tail: `;${INSTANCE}` }));
    await at.server.clock.advance(10);
    expect(held.found).toEqual([["sip:alice@192.0.2.100:3"]]);
  });

  it("wakes nobody whose binding has ended, though the store still has it, RFC 8599 §5.5", async () => {
    const store = { ...inMemory(), expire: () => [], nextExpiry: () => undefined };
    const at = await site({ refreshBefore: 0 }, { store });
    await at.answer(asleep());
    await at.server.clock.advance(300_000);
    expect((await at.answer(request("INVITE", ALICE))).status).toBe(480);
  });

  it("waits no longer for who is removed, RFC 8599 §5.5", async () => {
    const at = await site();
    await at.answer(asleep());
    const held = await call(at);
    await at.registrar.remove(ALICE);
    expect(held.settled).toBe(1);
  });

  it("waits on for a device whose binding ends meanwhile", async () => {
    const at = await site({ refreshBefore: 0 });
    await at.answer(asleep({ port: 1 }));
    await at.server.clock.advance(298_000);
    const held = await call(at);
    await at.server.clock.advance(4000);
    expect([await at.uris(), held.settled]).toEqual([[], 0]);
    await at.answer(asleep({ port: 2 }));
    await at.server.clock.advance(10);
    expect([held.found, held.settled]).toEqual([[["sip:alice@192.0.2.100:2"]], 1]);
  });

  it("finds in a store that nodes share who came to another one", async () => {
    const store = distant();
    const at = await site({}, { store, nodePath: true });
    const other = await site({}, { store, nodePath: true });
    await at.answer(asleep({ port: 1 }));
    const asked = await ask(at);
    const held = new Call(asked);
    await at.server.clock.advance(1500);
    expect(held.found).toEqual([]);
    await other.answer(asleep({ port: 2 }));
    for (let turn = 0; turn < 20; turn += 1) {
      await at.server.clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect([held.found, held.settled]).toEqual([[["sip:alice@192.0.2.100:2"]], 1]);
  });
});

describe("Registrar, connections of devices that sleep", () => {
  const TCP = { leg: "tcp:192.0.2.1:5060" } as const;

  it.each([
    ["push", [], 1],
    ["try", ["sip:alice@192.0.2.100:1"], 0],
    ["both", ["sip:alice@192.0.2.100:1"], 1],
  ] as const)(
    "%s: what becomes of a call while one is up",
    async (whenConnected, tried, pushes) => {
      const pushed: PushNotification[] = [];
      const providers = { acme: (each: PushNotification): void => void pushed.push(each) };
      const set = await setUp({ push: { providers, awakeFor: 0, whenConnected } }, TCP);
      const at = { ...set, pushed };
      await at.answer(asleep({ port: 1 }).replace("/UDP", "/TCP"));
      const asked = await ask(at);
      asked.get(lateTargets)?.watch({ found: () => undefined, settled: () => undefined });
      expect([urisOf(asked), pushed.length]).toEqual([tried, pushes]);
    },
  );

  it("replaces no binding of a device that can be woken for one that can't be reached", async () => {
    const set = await setUp(
      {
        push: { providers: { acme: () => undefined } },
        maxBindings: 1,
        whenFull: "replace-unreachable",
      },
      TCP,
    );
    const from = { address: "192.0.2.100", port: 7777 };
    await set.answer(asleep({ port: 1 }).replace("/UDP", "/TCP"), from);
    await set.server.lose(7777);
    const second = register("<sip:alice@192.0.2.100:2>", { callId: "2" }).replace("/UDP", "/TCP");
    expect((await set.answer(second)).status).toBe(403);
  });

  it("lets a binding go that only asked what there is, when its edge proxy has lost it", async () => {
    const at = await site();
    const contact = `<sip:alice@192.0.2.100;pn-provider=acme>;reg-id=1;${INSTANCE}`;
    const lines = [
      "Supported: path, outbound",
      "Path: <sip:edge.example.net;lr;ob>",
      "Via: SIP/2.0/UDP 192.0.2.111;branch=z9hG4bKhop",
    ];
    await at.answer(register(contact, { lines }));
    const asked = await ask(at);
    const [target] = asked.get(targets) ?? [];
    if (target === undefined) throw new Error("no target");
    expect(target.uri).toBe("sip:alice@192.0.2.100");
    asked.get(targetGone)?.(target);
    expect(await at.uris()).toEqual([]);
  });

  it("keeps the binding when the connection is lost, and wakes the device", async () => {
    const pushed: PushNotification[] = [];
    const providers = { acme: (each: PushNotification): void => void pushed.push(each) };
    const set = await setUp({ push: { providers, awakeFor: 60_000, whenConnected: "try" } }, TCP);
    const at = { ...set, pushed };
    const from = { address: "192.0.2.100", port: 7777 };
    await at.answer(asleep({ port: 1 }).replace("/UDP", "/TCP"), from);
    expect(urisOf(await ask(at))).toHaveLength(1);
    await at.server.lose(7777);
    await at.server.clock.advance(10);
    expect(await at.uris()).toHaveLength(1);
    await call(at);
    expect(pushed).toHaveLength(1);
  });
});

describe("Registrar, bounds of pushes", () => {
  it("sends a device one push in `minInterval`, for however many calls", async () => {
    const at = await site({ minInterval: 10_000, maxHeldPerUser: 100 });
    await at.answer(asleep({ port: 1 }));
    const calls = [await call(at), await call(at), await call(at)];
    await at.server.clock.advance(9000);
    calls.push(await call(at));
    expect(at.pushed).toHaveLength(1);
    expect(at.server.dispatcher.counters().pushesHeldBack).toBe(3);
    await at.answer(asleep({ port: 2 }));
    await at.server.clock.advance(10);
    expect(calls.map(({ found }) => found.length)).toEqual([1, 1, 1, 1]);
    await at.server.clock.advance(1000);
    await call(at);
    expect(at.pushed).toHaveLength(2);
  });

  it("sends no second push while the hook has not come back, and gives that up after 30 s", async () => {
    let hooks = 0;
    let fail: (cause: Error) => void = () => undefined;
    const acme = (): Promise<void> => {
      hooks += 1;
      return new Promise((_resolve, reject) => {
        fail = reject;
      });
    };
    const at = await site({ minInterval: 0, providers: { acme } });
    await at.answer(asleep());
    await call(at);
    await call(at);
    expect(hooks).toBe(1);
    await at.server.clock.advance(29_000);
    const last = await call(at);
    await at.server.clock.advance(1000);
    expect(last.settled).toBe(1);
    fail(new Error("too late"));
    await at.server.clock.advance(10);
    expect(at.server.errors.map(({ message }) => message)).toEqual([
      "acme took no push: no answer within 30 s",
    ]);
    expect(at.server.dispatcher.counters().pushesFailed).toBe(1);
  });

  it.each([
    ["of one user", { maxHeldPerUser: 2 }],
    ["in all", { maxHeld: 2 }],
  ])("holds so many requests and no more, %s", async (_what, bound) => {
    const at = await site(bound);
    await at.answer(asleep());
    const [first, second, third] = [await call(at), await call(at), await call(at)];
    expect([first.settled, second.settled, third.settled]).toEqual([0, 0, 1]);
    expect(at.server.dispatcher.counters().heldOverLimit).toBe(1);
    first.end();
    expect((await call(at)).settled).toBe(0);
  });

  it("has so many pushes under way and no more", async () => {
    const acme = (): Promise<void> => new Promise(() => undefined);
    const at = await site({ maxOutstanding: 1, providers: { acme } });
    await at.answer(asleep({ port: 1 }));
    await at.answer(asleep({ port: 2, token: "second" }, { to: "<sip:bob@example.com>" }));
    const first = await call(at);
    const second = await call(at, "INVITE", "sip:bob@example.com");
    expect([first.settled, second.settled]).toEqual([0, 1]);
    expect(at.server.dispatcher.counters().pushesOverLimit).toBe(1);
  });

  it("tells of a service that fails once, until it takes a push again", async () => {
    let isBroken = true;
    const acme = (): void => {
      if (isBroken) throw new Error("away");
    };
    const at = await site({ minInterval: 0, providers: { acme } });
    await at.answer(asleep());
    for (const broken of [true, true, false, true]) {
      isBroken = broken;
      (await call(at)).end();
    }
    expect(at.server.errors.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "SIP_PUSH acme took no push: away",
      "SIP_PUSH acme took no push: away",
    ]);
    expect(at.server.dispatcher.counters()).toMatchObject({ pushesFailed: 3, pushesSent: 4 });
  });

  it.each([
    ["no provider", { providers: {} }],
    ["a name that is none", { providers: { 'a"b': () => undefined } }],
    ["a provider that is none", { providers: { a: "b" } }],
    ["a wait too short", { wait: 10 }],
    ["a wait too long", { wait: 31_000 }],
    ["a bound of none", { maxHeld: 0 }],
    ["a refresh before the beginning", { refreshBefore: 241 }],
  ])("refuses %s", async (_what, options) => {
    await expect(site(options as Partial<PushOptions>)).rejects.toMatchObject({
      code: "SIP_BAD_OPTION",
    });
  });
});

describe("Registrar, refreshing by push, RFC 8599 §5.5", () => {
  it("wakes a device before its binding ends, and again when it doesn't come", async () => {
    const at = await site();
    const times: number[] = [];
    await at.answer(asleep({ tail: ";expires=300" }));
    for (let second = 1; second <= 300; second += 1) {
      await at.server.clock.advance(1000);
      if (at.pushed.length > times.length) times.push(300 - second);
    }
    expect(at.pushed.map(({ reason }) => reason)).toEqual(times.map(() => "refresh"));
    expect(at.pushed[0]).toEqual({
      provider: "acme",
      param: "acme-param",
      prid: TOKEN,
      addressOfRecord: ALICE,
      reason: "refresh",
    });
    expect(times[0]).toBeGreaterThanOrEqual(120);
    expect(times[0]).toBeLessThanOrEqual(125);
    expect(times.length).toBeGreaterThan(1);
    expect(times.length).toBeLessThan(4);
  });

  it("leaves those alone who come by themselves, and who are gone", async () => {
    const at = await site();
    for (let turn = 0; turn < 10; turn += 1) {
      await at.answer(asleep({ tail: ";expires=300;+sip.pnsreg" }));
      await at.server.clock.advance(170_000);
    }
    await at.registrar.remove(ALICE);
    await at.server.clock.advance(600_000);
    expect(at.pushed).toEqual([]);
  });

  it("wakes the devices of a store that outlived the process", async () => {
    const store = memoryStore();
    const before = await site({}, { store });
    await before.answer(asleep({ tail: ";expires=300" }));
    const after = await site({}, { store });
    await after.server.clock.advance(181_000);
    expect(after.pushed).toMatchObject([{ reason: "refresh" }]);
  });

  it("leaves a binding of another node to that one, unless told otherwise", async () => {
    const store = memoryStore();
    const other = await setUp(
      { store, push: { providers: { acme: () => undefined } } },
      { node: "other" },
    );
    await other.answer(asleep({ tail: ";expires=300" }));
    const own = await site({}, { store, nodePath: true });
    const all = await site({ refreshes: "all" }, { store });
    await own.server.clock.advance(200_000);
    await all.server.clock.advance(200_000);
    expect([own.pushed.length, all.pushed.length > 0]).toEqual([0, true]);
  });

  it("remembers so many users and no more", async () => {
    const at = await site({ maxRefreshed: 1 });
    for (const user of ["a", "b", "a"]) {
      await at.answer(asleep({ token: user }, { to: `<sip:${user}@example.com>`, callId: user }));
    }
    expect(at.server.dispatcher.counters().refreshesLeftOut).toBe(1);
    await at.server.clock.advance(185_000);
    expect(at.pushed.map(({ addressOfRecord }) => addressOfRecord)).toEqual(["sip:a@example.com"]);
  });

  it("goes on with the other users when a store fails, and asks it again", async () => {
    let isAway = false;
    const store = memoryStore();
    const read = store.read.bind(store);
    store.read = (user) => {
      if (isAway) throw new Error("away");
      return read(user);
    };
    const at = await site({}, { store });
    await at.answer(asleep());
    isAway = true;
    await at.server.clock.advance(185_000);
    expect(at.server.errors.map(({ code }) => code)).toContain("SIP_STORE");
    isAway = false;
    await at.server.clock.advance(10_000);
    expect(at.pushed).toHaveLength(1);
  });

  it("does none where it is told so", async () => {
    const at = await site({ refreshBefore: 0 });
    await at.answer(asleep());
    await at.server.clock.advance(300_000);
    expect(at.pushed).toEqual([]);
  });
});
