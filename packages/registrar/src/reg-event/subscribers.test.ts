import { describe, expect, it } from "vitest";
import { Registrar } from "../registrar.ts";
import { ALICE, inMemory, PHONE, register } from "../test-kit/registrar-kit.ts";
import { bodyOf, told, type Watch, watch } from "../test-kit/watch-kit.ts";
import type { RegEventsOptions } from "./options.ts";
import { RegEvents } from "./reg-events.ts";

async function statusOf(setup: Watch, ...lines: readonly string[]): Promise<number> {
  const { response, notifies } = await setup.subscribe({ lines });
  expect(notifies).toHaveLength(response.status === 200 ? 1 : 0);
  return response.status;
}

describe("RegEvents and SUBSCRIBE, RFC 6665 §4.2.1", () => {
  it.each([
    ["no Contact", 400, []],
    ["two Contacts", 400, ["Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>"]],
    ["all Contacts", 400, ["Contact: *"]],
    ["a telephone number as Contact", 400, ["Contact: <tel:+4930>"]],
    ["a Contact without a host", 400, ["Contact: <sip:a@>"]],
    ["a Record-Route that is none", 400, ["Record-Route: <x"]],
    ["NUL in From", 400, [`From: "a\0" <${ALICE}>;tag=1`]],
    ["NUL in To", 400, [`To: "a\0" <${ALICE}>`]],
    ["NUL in Record-Route", 400, ['Record-Route: "a\0" <sip:192.0.2.9;lr>']],
    ["two Events", 400, ["Event: reg", "Event: presence"]],
    ["an id that is no token", 400, ['Event: reg;id="a b"']],
    ["an Expires of words", 400, ["Expires: soon"]],
    ["an Expires of other digits", 400, ["Expires: ٣٦٠٠"]],
    ["an Expires beyond 32 bits", 400, ["Expires: 4294967296"]],
    ["a negative Expires", 400, ["Expires: -1"]],
    ["too short an Expires", 423, ["Expires: 59"]],
    ["an Accept of something else", 406, ["Accept: application/pidf+xml, text/*"]],
    ["an Accept of nothing", 406, ["Accept:"]],
    ["an Accept with q=0", 406, ["Accept: application/reginfo+xml;q=0.0"]],
    ["an Accept of all", 200, ["Accept: */*;q=0.1"]],
    ["an Accept of applications", 200, ["Accept: text/plain", "Accept: APPLICATION/*"]],
    ["an unknown extension", 420, ["Require: eventlist"]],
    ["a dialog that is too long", 403, [`Record-Route: <sip:${"x".repeat(4096)};lr>`]],
    ["other parameters of Event", 200, ["Event: reg ; x=;y"]],
  ])("with %s: %i", async (what, status, lines) => {
    const setup = await watch();
    const without = what === "no Contact" ? ["Contact"] : [];
    const { response, notifies } = await setup.subscribe({ lines, without });
    expect(response.status).toBe(status);
    expect(notifies).toHaveLength(status === 200 ? 1 : 0);
    expect(setup.regEvents.counts().subscriptions).toBe(status === 200 ? 1 : 0);
    expect(setup.server.errors).toEqual([]);
  });

  it("says what is wanted where it refuses", async () => {
    const { subscribe } = await watch();
    const get = async (header: string, line: string): Promise<string | undefined> =>
      (await subscribe({ lines: [line] })).response.headers.get(header);
    expect(await get("min-expires", "Expires: 1")).toBe("60");
    expect(await get("accept", "Accept: text/plain")).toBe("application/reginfo+xml");
    expect(await get("unsupported", "Require: eventlist, gruu")).toBe("eventlist");
  });

  it("grants what is asked for, at most maxExpires, and by default 3761 s", async () => {
    const setup = await watch();
    const granted = async (...lines: readonly string[]): Promise<string | undefined> =>
      (await setup.subscribe({ lines })).response.headers.get("expires");
    expect(await granted()).toBe("3761");
    expect(await granted("Expires: 60")).toBe("60");
    expect(await granted("Expires: 4294967295")).toBe("7200");
  });

  it("keeps the id of Event, and takes another one within the dialog for a second subscription", async () => {
    const setup = await watch();
    const lines = ["o: reg;id=5;x=y"];
    const { response, notifies } = await setup.subscribe({ lines, without: ["Event"] });
    expect(notifies[0]?.headers.get("event")).toBe("reg;id=5");
    const tag = response.toTag;
    expect((await setup.subscribe({ tag, lines: ["Event: reg;id=5"] })).response.status).toBe(200);
    const shared = await setup.subscribe({ tag });
    expect([shared.response.status, shared.response.reason]).toEqual([
      403,
      "Dialog Sharing Not Supported",
    ]);
    const other = await setup.subscribe({ tag, lines: ["Event: dialog"] });
    expect([other.response.status, other.response.headers.get("allow-events")]).toEqual([
      489,
      "reg",
    ]);
  });

  it("leaves other events to those behind it, or refuses them", async () => {
    const passing = await watch();
    expect(await statusOf(passing, "Event: presence")).toBe(404);
    const refusing = await watch({ otherEvents: "refuse" });
    const { response } = await refusing.subscribe({ lines: ["Event: presence"] });
    expect([response.status, response.headers.get("allow-events")]).toEqual([489, "reg"]);
    const elsewhere = await refusing.subscribe({ uri: "sip:alice@example.net" });
    expect(elsewhere.response.status).toBe(499);
  });

  it("answers 481 to a dialog that it doesn't know, and 500 to what comes too late", async () => {
    const setup = await watch();
    const server = "sip:192.0.2.1:5060";
    expect((await setup.subscribe({ uri: server, tag: "none" })).response.status).toBe(481);
    const { response } = await setup.subscribe({ cseq: 10_000 });
    const tag = response.toTag;
    const within = async (cseq: number, from?: string): Promise<number> => {
      const lines = from === undefined ? [] : [`From: <${ALICE}>;tag=${from}`];
      return (await setup.subscribe({ uri: server, tag, cseq, lines })).response.status;
    };
    expect(await within(10_000)).toBe(500);
    expect(await within(10_001, "another")).toBe(481);
    expect(await within(10_001)).toBe(200);
    expect(await within(10_001)).toBe(500);
  });

  it("takes the same SUBSCRIBE once more for the same, and another's of that name for a loop", async () => {
    const setup = await watch({ maySubscribe: () => true });
    const how = { cseq: 7, lines: ["Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKsame"] };
    for (let i = 0; i < 2; i++) {
      const { response, notifies } = await setup.subscribe(how);
      expect([response.status, notifies.map(told)]).toEqual([200, [`${i} full init:`]]);
      for (const notify of notifies) await setup.answer(notify);
      await setup.after(33_000);
    }
    expect(setup.regEvents.counts().subscriptions).toBe(1);
    expect((await setup.subscribe({ ...how, as: "bob" })).response.status).toBe(482);
  });
});

describe("RegEvents and who may subscribe, RFC 3680 §4.6", () => {
  it.each(["nobody", "bob"])("refuses %s a look at another's registrations", async (as) => {
    const setup = await watch();
    const { response, notifies } = await setup.subscribe({ as });
    expect([response.status, notifies]).toEqual([403, []]);
    expect(setup.server.dispatcher.counters()).toMatchObject({ regEventsRefused: 1 });
  });

  it("knows the user by every name that the registrar knows her by", async () => {
    const options = { aliases: { "example.net": "example.com" }, userCase: "insensitive" } as const;
    const setup = await watch({}, options, { domains: ["example.com", "example.net"] });
    await setup.server.ask(register(PHONE));
    for (const uri of ["sip:alice@example.net", "sips:%41lice@EXAMPLE.com;x=y"]) {
      const { notifies } = await setup.subscribe({ uri });
      expect(told(notifies[0])).toBe("0 full active: registered sip:alice@192.0.2.100");
      expect(bodyOf(notifies[0])).toContain('aor="sip:alice@example.com"');
    }
  });

  it("asks maySubscribe of the others, at each refresh too, and lets only the subscriber refresh", async () => {
    const asked: unknown[] = [];
    let may: unknown = true;
    const setup = await watch({
      maySubscribe: async (request, who, server, addressOfRecord) => {
        asked.push([request.uri, who?.user, server.domains[0], addressOfRecord]);
        return may as boolean;
      },
    });
    const { response } = await setup.subscribe({ as: "bob" });
    const within = { uri: "sip:192.0.2.1:5060", tag: response.toTag };
    expect(asked).toEqual([[ALICE, "bob", "example.com", ALICE]]);
    const status = async (as: string): Promise<number> =>
      (await setup.subscribe({ ...within, as })).response.status;
    expect(await status("bob")).toBe(200);
    expect(asked[1]).toEqual(["sip:192.0.2.1:5060", "bob", "example.com", ALICE]);
    expect(await status("carol")).toBe(403);
    expect(await status("alice")).toBe(403);
    expect(await status("nobody")).toBe(403);
    for (may of [false, "yes", 1, undefined]) expect(await status("bob")).toBe(403);
    may = true;
    expect(await status("bob")).toBe(200);
  });

  it("leaves nothing of a flood of strangers'", async () => {
    const setup = await watch({}, { store: { ...inMemory(), read: () => Promise.reject() } });
    for (let i = 0; i < 100; i++) {
      const { response } = await setup.subscribe({ as: "nobody", callId: `${i}` });
      expect(response.status).toBe(403);
    }
    const alive = Object.entries(setup.server.dispatcher.stats()).filter(([, n]) => n !== 0);
    expect(alive).toEqual([]);
    expect(setup.regEvents.counts()).toEqual({ subscriptions: 0, users: 0 });
    expect(setup.server.clock.pending).toBe(0);
  });
});

describe("RegEvents and its bounds", () => {
  it("refuses one subscription more to a user with 403, and counts it", async () => {
    const setup = await watch({ maxPerUser: 2 });
    const status = async (callId: string, ...lines: readonly string[]): Promise<number> =>
      (await setup.subscribe({ callId, lines })).response.status;
    expect([await status("1"), await status("2"), await status("3")]).toEqual([200, 200, 403]);
    expect(setup.server.dispatcher.counters()).toMatchObject({ regEventsOverLimit: 1 });
    // Who only asks takes no room.
    expect(await status("3", "Expires: 0")).toBe(200);
    expect(setup.regEvents.counts()).toEqual({ subscriptions: 2, users: 1 });
  });

  it("refuses one subscription more in all with 503, and counts it", async () => {
    const setup = await watch({ maxSubscriptions: 2 });
    for (const [user, status] of [
      ["alice", 200],
      ["bob", 200],
      ["carol", 503],
    ] as const) {
      const uri = `sip:${user}@example.com`;
      const { response } = await setup.subscribe({ as: user, uri, callId: user });
      expect(response.status).toBe(status);
      if (status === 503) expect(response.headers.get("retry-after")).toBe("60");
    }
    expect(setup.server.dispatcher.counters()).toMatchObject({ regEventsOverLimit: 1 });
  });

  it("refuses with 423 who asks for less than 60 seconds, and counts it", async () => {
    const setup = await watch();
    expect(await statusOf(setup, "Expires: 59")).toBe(423);
    expect(setup.server.dispatcher.counters()).toMatchObject({ regEventsTooBrief: 1 });
  });

  it("makes no document longer than maxBody, and counts the contacts that are left out", async () => {
    const setup = await watch({ maxBody: 800 });
    for (let i = 1; i < 9; i++) await setup.server.ask(register(`<sip:alice@192.0.2.100:${i}>`));
    const { notifies } = await setup.subscribe();
    expect(notifies[0]?.body.length).toBeLessThanOrEqual(800);
    expect(told(notifies[0]).match(/registered/g)).toHaveLength(3);
    expect(setup.server.dispatcher.counters()).toMatchObject({ regEventsContactsLeftOut: 5 });
  });

  it.each<RegEventsOptions>([
    { minExpires: 0 },
    { maxExpires: 30 },
    { minExpires: 100, defaultExpires: 60 },
    { defaultExpires: 10_000 },
    { maxSubscriptions: Number.NaN },
    { maxPerUser: 1.5 },
    { interval: 0 },
    { maxBody: -1 },
  ])("refuses the options %o", (options) => {
    const thrown = expect.objectContaining({ code: "SIP_BAD_OPTION" });
    expect(() => new RegEvents(new Registrar(), options)).toThrow(thrown);
  });
});
