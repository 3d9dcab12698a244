import { type Request, SipError } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import type { Binding } from "../binding.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { ALICE, distant, inMemory, PHONE, register } from "../test-kit/registrar-kit.ts";
import { bodyOf, told, type Watch, watch } from "../test-kit/watch-kit.ts";

const PC = "<sip:alice@192.0.2.101>";
const AT_PHONE = "sip:alice@192.0.2.100";
const AT_PC = "sip:alice@192.0.2.101";

/** A subscription whose first NOTIFY was answered, and the tag that it knows us by. */
async function watching(setup: Watch, lines: readonly string[] = []): Promise<string> {
  const { response, notifies } = await setup.subscribe({ lines });
  expect(response.status).toBe(200);
  for (const notify of notifies) await setup.answer(notify);
  return response.toTag ?? "";
}

const stateOf = (notify: Request | undefined): string | undefined =>
  notify?.headers.get("subscription-state");

describe("RegEvents, RFC 3680", () => {
  it("tells everything at once, then what has changed, by versions", async () => {
    const setup = await watch();
    await setup.server.ask(register(PHONE));
    const { response, notifies } = await setup.subscribe({ lines: ["Expires: 600"] });
    expect(response.headers.get("expires")).toBe("600");
    expect(response.headers.get("allow-events")).toBe("reg");
    const [first] = notifies as [Request];
    expect(notifies.map(told)).toEqual([`0 full active: registered ${AT_PHONE}`]);
    expect([...first.headers].filter(([name]) => name !== "Via")).toEqual([
      ["Max-Forwards", "70"],
      ["From", `<${ALICE}>;tag=${response.toTag}`],
      ["To", `"A Watcher" <${ALICE}>;tag=watcher`],
      ["Call-ID", "watch"],
      ["CSeq", "1 NOTIFY"],
      ["Contact", "<sip:192.0.2.1:5060>"],
      ["Event", "reg"],
      ["Subscription-State", "active;expires=600"],
      ["Content-Type", "application/reginfo+xml"],
      ["Content-Length", String(first.body.length)],
    ]);
    await setup.answer(first);
    await setup.after(10_000);
    await setup.server.ask(register(PC));
    const [second] = (await setup.after(0)) as [Request];
    expect(told(second)).toBe(`1 partial active: registered ${AT_PC}`);
    expect([second.cseq.number, stateOf(second)]).toEqual([2, "active;expires=590"]);
  });

  it("plays the example of RFC 3680 §6", async () => {
    const setup = await watch({ maySubscribe: (_request, who) => who?.user === "app" });
    const { response, notifies } = await setup.subscribe({
      as: "app",
      uri: "sip:joe@example.com",
      lines: [
        "From: sip:app.example.com;tag=123aa9",
        "To: sip:joe@example.com",
        "Call-ID: 9987@app.example.com",
        "CSeq: 9887 SUBSCRIBE",
        "Contact: sip:app.example.com",
        "Accept: application/reginfo+xml",
      ],
    });
    expect([response.status, response.headers.get("expires")]).toEqual([200, "3761"]);
    const [first] = notifies as [Request];
    expect([first.uri, told(first)]).toEqual(["sip:app.example.com", "0 full init:"]);
    expect(first.from.tag).toBe(response.toTag);
    expect(first.headers.get("to")).toBe("sip:app.example.com;tag=123aa9");
    await setup.answer(first);
    await setup.after(5000);
    await setup.server.ask(register("<sip:joe@pc34.example.com>", { to: "<sip:joe@example.com>" }));
    const [second] = await setup.after(0);
    expect(told(second)).toBe("1 partial active: registered sip:joe@pc34.example.com");
    expect(bodyOf(second)).toContain('duration-registered="0"');
    const id = (notify: Request | undefined): unknown =>
      /<registration [^>]* id="([^"]+)"/.exec(bodyOf(notify))?.[1];
    expect(id(second)).toBe(id(first));
  });

  it.each<[string, string, (setup: Watch) => unknown]>([
    ["a refresh", `refreshed ${AT_PHONE}`, ({ server }) => server.ask(register(PHONE))],
    [
      "its end by a REGISTER",
      `unregistered ${AT_PHONE}`,
      ({ server }) => server.ask(register(`${PHONE};expires=0`)),
    ],
    [
      "its end by an operator",
      `deactivated ${AT_PHONE}`,
      ({ registrar }) => registrar.remove(ALICE),
    ],
  ])("tells of %s", async (_what, expected, happens) => {
    const setup = await watch();
    await setup.server.ask(register(PHONE));
    await watching(setup);
    await setup.after(5000);
    await happens(setup);
    const state = expected.startsWith("refreshed") ? "active" : "terminated";
    expect((await setup.after(0)).map(told)).toEqual([`1 partial ${state}: ${expected}`]);
  });

  it("tells of a contact whose time is over, and of the others no word", async () => {
    const setup = await watch();
    await setup.server.ask(register(`${PHONE};expires=60`));
    await setup.server.ask(register(PC));
    await watching(setup);
    expect((await setup.after(61_000)).map(told)).toEqual([
      `1 partial active: expired ${AT_PHONE}`,
    ]);
  });

  it("tells of a device that has another address as of one contact that goes and one that comes", async () => {
    const setup = await watch({}, { matching: "call-id" });
    await setup.server.ask(register(PHONE));
    await watching(setup);
    await setup.after(5000);
    await setup.server.ask(register(PC));
    expect((await setup.after(0)).map(told)).toEqual([
      `1 partial active: unregistered ${AT_PHONE}, registered ${AT_PC}`,
    ]);
  });

  it("tells of a contact that had to make room, and of one whose connection was lost", async () => {
    const over = { leg: "tcp:192.0.2.1:5060" } as const;
    const setup = await watch({}, { maxBindings: 1, whenFull: "replace-oldest" }, over);
    await setup.server.ask(register(PHONE), { from: { port: 1 } });
    await setup
      .subscribe({ from: { port: 9 } })
      .then(({ notifies }) => setup.answer(...first(notifies)));
    await setup.after(5000);
    await setup.server.ask(register(PC, { callId: "pc" }), { from: { port: 2 } });
    const [notify] = await setup.after(0);
    expect(told(notify)).toBe(`1 partial active: registered ${AT_PC}, unregistered ${AT_PHONE}`);
    await setup.answer(...first([notify]));
    await setup.after(5000);
    await setup.server.lose(2);
    expect((await setup.after(0)).map(told)).toEqual([
      `2 partial terminated: deactivated ${AT_PC}`,
    ]);
  });

  it("has what is configured in the full state, and GRUUs, the temporary ones for the user alone", async () => {
    const setup = await watch(
      { maySubscribe: () => true },
      { static: { [ALICE]: ["<sip:door@192.0.2.9>;q=0.5"] } },
    );
    const device = `${PHONE};+sip.instance="<urn:uuid:1>";reg-id=1;x`;
    await setup.server.ask(register(device, { lines: ["Supported: gruu"] }));
    const own = await setup.subscribe();
    const body = bodyOf(own.notifies[0]);
    expect(told(own.notifies[0])).toBe(
      `0 full active: registered ${AT_PHONE}, created sip:door@192.0.2.9`,
    );
    expect(body).toContain('event="created" q="0.5">\n<uri>sip:door@192.0.2.9</uri>\n</contact>');
    expect(body).toContain(
      [
        '<unknown-param name="+sip.instance">&quot;&lt;urn:uuid:1&gt;&quot;</unknown-param>',
        '<unknown-param name="reg-id">1</unknown-param>',
        '<unknown-param name="x"></unknown-param>',
        '<gr:pub-gruu uri="sip:alice@example.com;gr=urn:uuid:1"/>',
        '<gr:temp-gruu uri="sip:tgruu.',
      ].join("\n"),
    );
    const others = await setup.subscribe({ as: "bob", callId: "other" });
    expect(bodyOf(others.notifies[0])).toContain("<gr:pub-gruu");
    expect(bodyOf(others.notifies[0])).not.toContain("temp-gruu");
    const [binding] = await setup.registrar.query(ALICE);
    expect(body).toContain(
      `<contact id="${binding?.id}" state="active" event="registered" expires="300"`,
    );
  });
});

it("tells nobody the token by which a push service wakes a device", async () => {
  const setup = await watch();
  const token = "pn-provider=fcm;pn-prid=SECRET;pn-param=p";
  await setup.server.ask(register(`<sip:alice@192.0.2.100;${token};line=1>;pn-prid=SECRET`));
  const { notifies } = await setup.subscribe();
  expect(told(notifies[0])).toBe("0 full active: registered sip:alice@192.0.2.100;line=1");
  expect(bodyOf(notifies[0])).not.toMatch(/SECRET|pn-/);
});

function first(notifies: readonly (Request | undefined)[]): [Request] {
  const [notify] = notifies;
  if (notify === undefined) throw new Error("no NOTIFY");
  return [notify];
}

describe("RegEvents between NOTIFYs, RFC 3680 §4.10", () => {
  it("waits for the answer, and for 5 s to pass, and tells the latest of each contact then", async () => {
    const setup = await watch();
    const { notifies } = await setup.subscribe();
    await setup.server.ask(register(PHONE));
    await setup.server.ask(register(PHONE));
    await setup.server.ask(register(PC));
    await setup.server.ask(register(`${PC};expires=0`));
    expect(await setup.after(6000)).toEqual([]);
    await setup.answer(...first(notifies));
    const [next] = await setup.after(0);
    expect(told(next)).toBe(`1 partial active: refreshed ${AT_PHONE}, unregistered ${AT_PC}`);
    await setup.answer(...first([next]));
    await setup.server.ask(register(PHONE));
    expect(await setup.after(4999)).toEqual([]);
    expect((await setup.after(1)).map(told)).toEqual([`2 partial active: refreshed ${AT_PHONE}`]);
  });

  it("makes two documents of ten thousand changes, the second one full", async () => {
    const setup = await watch();
    await watching(setup);
    for (let i = 0; i < 5000; i++) {
      setup.registrar.events.emit("added", {
        addressOfRecord: ALICE,
        binding: { ...binding, uri: `sip:${i}@192.0.2.7` },
      });
      setup.registrar.events.emit("expired", {
        addressOfRecord: ALICE,
        binding: { ...binding, uri: `sip:${i}@192.0.2.7` },
      });
    }
    await setup.server.ask(register(PHONE));
    await setup.server.ask(register(PC));
    const [full, ...more] = await setup.after(5000);
    expect(more).toEqual([]);
    const there = `1 full active: registered ${AT_PC}, registered ${AT_PHONE}`;
    expect(told(full).slice(0, there.length)).toBe(there);
    // Some of the last to go are told of, too.
    expect(told(full).match(/expired/g)?.length).toBeLessThan(32);
    expect(setup.server.dispatcher.counters()).toMatchObject({
      regEventsTooManyChanges: expect.any(Number),
    });
  });

  it("tells all again, at once, to who refreshes, and as soon as he answers where he hasn't", async () => {
    const setup = await watch();
    await setup.server.ask(register(PHONE));
    const tag = await watching(setup);
    const { response, notifies } = await setup.subscribe({ tag, lines: ["Expires: 100"] });
    expect([response.status, response.headers.get("expires")]).toEqual([200, "100"]);
    expect(notifies.map(told)).toEqual([`1 full active: registered ${AT_PHONE}`]);
    expect(stateOf(notifies[0])).toBe("active;expires=100");
    const again = await setup.subscribe({ tag });
    expect([again.response.status, again.notifies]).toEqual([200, []]);
    await setup.answer(...first(notifies));
    expect((await setup.after(0)).map(told)).toEqual([`2 full active: registered ${AT_PHONE}`]);
  });
});

const binding = {
  ...{ uri: "", params: "", q: 1, expiresAt: Number.MAX_SAFE_INTEGER },
  ...{ callId: "c", cseq: 1, digest: 0, path: [] },
};

describe("RegEvents and the end of a subscription, RFC 6665", () => {
  it("tells so when its time is over, and nothing more", async () => {
    const setup = await watch();
    await watching(setup, ["Expires: 60"]);
    const [last, ...more] = await setup.after(61_000);
    expect([stateOf(last), last?.body.length, more.length]).toEqual([
      "terminated;reason=timeout",
      0,
      0,
    ]);
    expect(setup.regEvents.counts()).toEqual({ subscriptions: 0, users: 0 });
    await setup.answer(...first([last]));
    await setup.server.ask(register(PHONE));
    expect(await setup.after(60_000)).toEqual([]);
    expect(setup.server.clock.pending).toBe(1);
  });

  it("has all contacts in the last NOTIFY to who ends it, and to who only asks", async () => {
    const setup = await watch();
    await setup.server.ask(register(PHONE));
    const tag = await watching(setup);
    const ended = await setup.subscribe({ tag, lines: ["Expires: 0"] });
    expect(ended.notifies.map(told)).toEqual([`1 full active: registered ${AT_PHONE}`]);
    expect(stateOf(ended.notifies[0])).toBe("terminated;reason=timeout");
    expect(setup.regEvents.counts().subscriptions).toBe(0);
    const asked = await setup.subscribe({ callId: "fetch", lines: ["Expires: 0"] });
    expect(asked.response.headers.get("expires")).toBe("0");
    expect(asked.notifies.map(told)).toEqual([`0 full active: registered ${AT_PHONE}`]);
    expect(stateOf(asked.notifies[0])).toBe("terminated;reason=timeout");
    expect(setup.regEvents.counts().subscriptions).toBe(0);
    expect((await setup.subscribe({ tag })).response.status).toBe(481);
  });

  it.each([404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])(
    "is a NOTIFY that is answered %i",
    async (status) => {
      const setup = await watch();
      const { notifies } = await setup.subscribe();
      await setup.answer(...first(notifies), status);
      expect(setup.regEvents.counts().subscriptions).toBe(0);
      expect(setup.server.dispatcher.counters()).toMatchObject({ regEventsSubscribersLost: 1 });
    },
  );

  it.each([301, 400, 403, 500, 603])(
    "isn't one that is answered %i: the next one tells all again",
    async (status) => {
      const setup = await watch();
      const { notifies } = await setup.subscribe();
      await setup.answer(...first(notifies), status);
      expect(await setup.after(20_000)).toEqual([]);
      await setup.server.ask(register(PHONE));
      expect((await setup.after(0)).map(told)).toEqual([`1 full active: registered ${AT_PHONE}`]);
    },
  );

  it("is a NOTIFY that isn't answered", async () => {
    const setup = await watch();
    await setup.subscribe();
    await setup.after(33_000);
    expect(setup.regEvents.counts().subscriptions).toBe(0);
    expect(setup.server.dispatcher.counters()).toMatchObject({ regEventsSubscribersLost: 1 });
    await setup.after(32_000);
    expect(setup.server.clock.pending).toBe(0);
  });

  it("is the end of its connection", async () => {
    const setup = await watch({}, {}, { leg: "tcp:192.0.2.1:5060" });
    const { notifies } = await setup.subscribe({ from: { port: 7 } });
    await setup.answer(...first(notifies));
    const other = await setup.subscribe({ from: { port: 8 }, callId: "other" });
    await setup.server.lose(7);
    expect(setup.regEvents.counts().subscriptions).toBe(1);
    // The other one moves to a third connection, and lives on without the second.
    await setup.subscribe({ from: { port: 9 }, callId: "other", tag: other.response.toTag });
    await setup.server.lose(8);
    expect(setup.regEvents.counts().subscriptions).toBe(1);
    // What the second one took along is told again.
    expect((await setup.after(5000)).map(told)).toEqual(["1 full init:"]);
    await setup.server.lose(9);
    expect(setup.regEvents.counts()).toEqual({ subscriptions: 0, users: 0 });
  });

  it("is the server's: who watches is told to ask anew", async () => {
    const setup = await watch();
    await watching(setup);
    setup.server.takeSent();
    await setup.server.close();
    const [last, ...more] = setup.server.takeSent();
    expect(more).toEqual([]);
    expect(last?.headers.get("subscription-state")).toBe("terminated;reason=deactivated");
    expect(setup.regEvents.counts()).toEqual({ subscriptions: 0, users: 0 });
    expect(setup.server.clock.pending).toBe(0);
    expect(setup.registrar.events.eventNames()).toEqual([]);
  });
});

describe("RegEvents and stores", () => {
  it("misses nothing where the store takes its time", async () => {
    const setup = await watch({}, { store: distant() });
    const [{ notifies }] = await Promise.all([
      setup.subscribe(),
      setup.server.ask(register(PHONE)).catch(() => undefined),
    ]);
    await setup.after(0);
    for (const notify of notifies) await setup.answer(notify);
    const later = await setup.after(5000);
    const all = [...notifies, ...later].map(told).join("\n");
    expect(all).toContain(AT_PHONE);
  });

  it("tells nobody who has gone while the store was asked", async () => {
    const store = inMemory();
    const open: (() => void)[] = [];
    let isSlow = false;
    const read = async (key: string): Promise<readonly Binding[] | undefined> => {
      if (isSlow) await new Promise<void>((resolve) => open.push(resolve));
      return store.read(key);
    };
    const leg = "tcp:192.0.2.1:5060";
    const setup = await watch({}, { store: { ...store, read } }, { leg });
    const { response, notifies } = await setup.subscribe({ from: { port: 7 } });
    await setup.answer(...first(notifies));
    await setup.after(5000);
    isSlow = true;
    setup.registrar.events.emit("added", { addressOfRecord: ALICE, binding });
    expect(await setup.after(0)).toEqual([]);
    const refreshed = setup.subscribe({ from: { port: 8 }, tag: response.toTag });
    await setup.server.lose(7);
    expect(open).toHaveLength(2);
    for (const resolve of open) resolve();
    expect((await refreshed).response.status).toBe(481);
    expect(await setup.after(0)).toEqual([]);
  });

  it("believes the store where another process has bound again what went here", async () => {
    const setup = await watch();
    await setup.server.ask(register(PHONE));
    const tag = await watching(setup);
    const [here] = await setup.registrar.query(ALICE);
    const goes = (): void => {
      setup.registrar.events.emit("lost", { addressOfRecord: ALICE, binding: here as Binding });
    };
    await setup.after(5000);
    goes();
    const [partial] = await setup.after(0);
    expect(told(partial)).toBe(`1 partial active: registered ${AT_PHONE}`);
    await setup.answer(...first([partial]));
    goes();
    const { notifies } = await setup.subscribe({ tag });
    expect(notifies.map(told)).toEqual([`2 full active: registered ${AT_PHONE}`]);
  });

  it("refuses with 503 while the store is away, and tells what happened when it is back", async () => {
    const store = inMemory();
    let failure: Error | undefined;
    const setup = await watch(
      {},
      {
        store: {
          ...store,
          read: (key) => {
            if (failure !== undefined) throw failure;
            return store.read(key);
          },
        },
      },
    );
    await watching(setup);
    await setup.server.ask(register(PHONE));
    for (const broken of [new StoreUnavailable("gone"), new SipError("SIP_STORE", "broken")]) {
      failure = broken;
      expect(await setup.after(20_000)).toEqual([]);
    }
    failure = new StoreUnavailable("gone");
    const { response, notifies } = await setup.subscribe({ callId: "other" });
    expect([response.status, response.headers.get("retry-after"), notifies]).toEqual([
      503,
      "5",
      [],
    ]);
    expect(setup.regEvents.counts().subscriptions).toBe(1);
    failure = undefined;
    expect((await setup.after(5000)).map(told)).toEqual([
      `1 partial active: registered ${AT_PHONE}`,
    ]);
  });
});
