import type { Request } from "@sipkit/core";
import { targets } from "@sipkit/core";
import { SeededRandom } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import type { LocationStore } from "./location-store.ts";
import { memoryStore } from "./memory-store.ts";
import { Registrar } from "./registrar.ts";
import type { RegistrarOptions } from "./registrar-options.ts";
import {
  ALICE,
  contactsOf,
  inMemory,
  PHONE,
  register,
  request,
  type Setup,
  setUp,
} from "./test-kit/registrar-kit.ts";

const urisOf = (invite: Request | undefined): readonly string[] =>
  invite?.get(targets)?.map(({ uri }) => uri) ?? [];

/** A Contact of a device that has got another port. */
function moved(port: number, more = ""): string {
  return `<sip:alice@192.0.2.100:${port}>${more}`;
}

describe("Registrar, which binding a Contact replaces", () => {
  const DEVICE = ';+sip.instance="<urn:uuid:1>"';
  const OTHER = ';+sip.instance="<urn:uuid:2>"';

  it("by instance: the device's, wherever it is now, and no other of an equal URI", async () => {
    const { answer, uris } = await setUp({ matching: "instance" });
    await answer(register(moved(1, DEVICE), { callId: "a" }));
    await answer(register(moved(1, OTHER), { callId: "b" }));
    expect(await uris()).toHaveLength(2);
    await answer(register(moved(2, DEVICE), { callId: "c" }));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:2", "sip:alice@192.0.2.100:1"]);
  });

  it("by URI and Path: phones of one URI behind two edge proxies are two", async () => {
    const { answer, uris, registrar } = await setUp({ matching: "uri-and-path" });
    const [one, other] = ["<sip:edge1.example.com;lr>", "<sip:edge2.example.com;lr>"] as const;
    const paths = async (): Promise<unknown> =>
      (await registrar.query(ALICE)).map(({ path }) => path);
    const from = (contact: string, callId: string, ...path: string[]): Promise<unknown> =>
      answer(register(contact, { callId, lines: path.map((hop) => `Path: ${hop}`) }));
    await from(PHONE, "a", one);
    await from(PHONE, "b", other);
    await from(PHONE, "c", one, other);
    await from(PHONE, "d");
    expect(await paths()).toEqual([[], [one, other], [other], [one]]);
    // Written in another way, from another life of the phone.
    await from("<SIP:%61lice@192.0.2.100>", "e", other);
    await from(PHONE, "f");
    expect(await paths()).toEqual([[], [other], [one, other], [one]]);
    await from(`${PHONE};expires=0`, "g", one);
    await from(`${PHONE};expires=0`, "h", one);
    expect(await paths()).toEqual([[], [other], [one, other]]);
    expect(await uris()).toHaveLength(3);
  });

  it("by URI and Path: a Path of ours, for other nodes, is none of the phone's", async () => {
    const { answer, uris, registrar } = await setUp({ matching: "uri-and-path", nodePath: true });
    await answer(register(PHONE, { callId: "a" }));
    await answer(register(PHONE, { callId: "b" }));
    expect(await uris()).toHaveLength(1);
    expect((await registrar.query(ALICE))[0]?.path).toHaveLength(1);
  });

  it("by instance: its CSeq counts as for any binding of the Call-ID", async () => {
    const { answer, uris } = await setUp({ matching: "instance" });
    await answer(register(moved(1, DEVICE), { cseq: 9 }));
    expect((await answer(register(moved(2, DEVICE), { cseq: 8 }))).status).toBe(500);
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:1"]);
  });

  it("by instance: a device that has said nothing of itself so far is known by its URI", async () => {
    const { answer, uris } = await setUp({ matching: "instance" });
    await answer(register(moved(1)));
    await answer(register(moved(1, DEVICE)));
    await answer(register(moved(2)));
    await answer(register(moved(2)));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:2", "sip:alice@192.0.2.100:1"]);
  });

  it("by Call-ID: the one of the same, when the Contact came alone, else that of an equal URI", async () => {
    const { answer, uris } = await setUp({ matching: "call-id" });
    await answer(register(moved(1), { callId: "a" }));
    await answer(register(moved(2), { callId: "a" }));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:2"]);
    await answer(register(`${moved(2)}, ${moved(3)}`, { callId: "a" }));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:2", "sip:alice@192.0.2.100:3"]);
    await answer(register(`${moved(3)};expires=0`, { callId: "a" }));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:2"]);
    await answer(register(moved(2), { callId: "b" }));
    expect(await uris()).toHaveLength(1);
  });

  it("by a parameter: of the URI, else of the Contact, else an equal URI", async () => {
    const { answer, uris } = await setUp({ matching: { param: "line" } });
    await answer(register("<sip:alice@192.0.2.100:1;line=x>"));
    await answer(register("<sip:alice@192.0.2.100:2;line=x>"));
    await answer(register("<sip:alice@192.0.2.100:3>;line=x"));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:3"]);
    await answer(register("<sip:alice@192.0.2.100:3;line=y>"));
    await answer(register("<tel:+358555;line=y>"));
    await answer(register(moved(4)));
    await answer(register(moved(4)));
    expect(await uris()).toEqual([
      "sip:alice@192.0.2.100:4",
      "tel:+358555;line=y",
      "sip:alice@192.0.2.100:3",
    ]);
  });

  it("lets the last one count of two Contacts of one device in a REGISTER", async () => {
    const { answer, uris } = await setUp({ matching: "instance" });
    await answer(register(`${moved(1, DEVICE)}, ${moved(2, DEVICE)}`));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:2"]);
  });

  it("refuses an equal CSeq, unless told to accept it from broken phones", async () => {
    for (const [equalCseq, status] of [
      ["refuse", 500],
      ["accept", 200],
    ] as const) {
      const { answer } = await setUp({ equalCseq });
      await answer(register(PHONE, { cseq: 5 }));
      expect((await answer(register(`${PHONE};expires=100`, { cseq: 5 }))).status).toBe(status);
      expect((await answer(register(PHONE, { cseq: 4 }))).status).toBe(500);
    }
  });
});

describe("Registrar, a user with too many bindings", () => {
  const fill = async (options: RegistrarOptions): Promise<Setup> => {
    const made = await setUp({ maxBindings: 2, ...options }, { leg: "tcp:192.0.2.1:5060" });
    for (const user of [1, 2]) {
      const from = { address: "192.0.2.100", port: 1000 + user };
      await made.answer(register(`<sip:${user}@192.0.2.100>`, { callId: `${user}` }), from);
    }
    return made;
  };
  const third = register("<sip:3@192.0.2.100>", { callId: "3" });
  const from = { address: "192.0.2.100", port: 1003 };

  it("is refused by default", async () => {
    const { answer, uris } = await fill({});
    expect((await answer(third, from)).status).toBe(403);
    expect(await uris()).toEqual(["sip:2@192.0.2.100", "sip:1@192.0.2.100"]);
  });

  it("loses those that were refreshed longest ago, which is told", async () => {
    const { answer, uris, registrar } = await fill({ whenFull: "replace-oldest" });
    const removed: string[] = [];
    registrar.events.on("removed", ({ binding }) => removed.push(binding.uri));
    await answer(register("<sip:1@192.0.2.100>", { callId: "1" }), {
      address: "192.0.2.100",
      port: 1001,
    });
    expect((await answer(third, from)).status).toBe(200);
    expect(await uris()).toEqual(["sip:3@192.0.2.100", "sip:1@192.0.2.100"]);
    expect(removed).toEqual(["sip:2@192.0.2.100"]);
  });

  it("is refused when one REGISTER alone has too many", async () => {
    const { answer, uris } = await fill({ whenFull: "replace-oldest" });
    const three = [4, 5, 6].map((user) => `<sip:${user}@192.0.2.100>`).join();
    expect((await answer(register(three), from)).status).toBe(403);
    expect(await uris()).toHaveLength(2);
  });

  it("loses one whose connection is gone, and is refused where all are there", async () => {
    const { answer, uris, server } = await fill({
      whenFull: "replace-unreachable",
      onConnectionLost: "keep",
    });
    expect((await answer(third, from)).status).toBe(403);
    await server.lose(1002);
    expect((await answer(third.replace("CSeq: ", "CSeq: 9"), from)).status).toBe(200);
    expect(await uris()).toEqual(["sip:3@192.0.2.100", "sip:1@192.0.2.100"]);
  });
});

describe("Registrar, what it grants", () => {
  const grants = async (options: RegistrarOptions, contact: string): Promise<readonly number[]> => {
    const { answer } = await setUp(options, { random: new SeededRandom(1) });
    const found: number[] = [];
    for (let turn = 0; turn < 50; turn += 1) {
      const [line = ""] = contactsOf(await answer(register(contact)));
      found.push(Number(line.split("expires=")[1]));
    }
    return found;
  };

  it("spreads it downwards by chance, and never below the minimum", async () => {
    const options = { minExpires: 60, maxExpires: 1000, expiresJitter: 0.2 };
    const all = await grants(options, PHONE);
    expect(Math.max(...all)).toBeLessThanOrEqual(1000);
    expect(Math.min(...all)).toBeGreaterThanOrEqual(800);
    expect(new Set(all).size).toBeGreaterThan(20);
    const short = await grants(options, `${PHONE};expires=65`);
    expect([Math.min(...short), Math.max(...short)]).toEqual([60, 65]);
    expect(new Set(await grants({ ...options, minExpires: 0 }, `${PHONE};expires=0`))).toEqual(
      new Set([Number.NaN]),
    );
  });

  it("gives the minimum to who asks for less, where it is told to", async () => {
    const { answer } = await setUp({ minExpires: 60, whenTooBrief: "raise" });
    const response = await answer(register(`${PHONE};expires=10`));
    expect(contactsOf(response)).toEqual([`${PHONE};expires=60`]);
    expect(contactsOf(await answer(register(`${PHONE};expires=0`)))).toEqual([]);
  });

  it("takes the default preference where a Contact has none", async () => {
    const { answer, registrar } = await setUp({ defaultQ: 0.5 });
    await answer(register(`<sip:1@192.0.2.100>, <sip:2@192.0.2.100>;q=0.6`));
    const bindings = await registrar.query(ALICE);
    expect(bindings.map(({ q }) => q)).toEqual([0.5, 0.6]);
  });

  it("lists only what the REGISTER bound, for clients that are confused by others'", async () => {
    const { answer } = await setUp({ answeredContacts: "own" });
    await answer(register("<sip:desk@192.0.2.100>", { callId: "desk" }));
    const response = await answer(register(PHONE, { callId: "mobile" }));
    expect(contactsOf(response)).toEqual([`${PHONE};expires=300`]);
    expect(contactsOf(await answer(register(undefined)))).toHaveLength(2);
  });
});

describe("Registrar, static bindings", () => {
  const GATE = "sip:gate@192.0.2.9;transport=tcp";
  const options: RegistrarOptions = {
    static: { "sip:lobby@example.com": [GATE, '"Desk" <sip:desk@192.0.2.8>;q=0.5;expires=60'] },
  };
  const LOBBY = { to: "<sip:lobby@example.com>" };

  it("are reached, listed and queried, and never end", async () => {
    const { answer, server, passed, registrar } = await setUp(options);
    await server.clock.advance(1_000_000);
    await server.ask(request("INVITE", "sip:lobby@example.com"));
    expect(urisOf(passed[0])).toEqual([GATE, "sip:desk@192.0.2.8"]);
    expect(contactsOf(await answer(register(undefined, LOBBY)))).toEqual([
      `<${GATE}>;expires=300`,
      "<sip:desk@192.0.2.8>;q=0.5;expires=300",
    ]);
    const bindings = await registrar.query("sip:lobby@example.com");
    expect(bindings.map(({ expires }) => expires)).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it("are no REGISTER's to change", async () => {
    const { answer, uris } = await setUp({ ...options, maxBindings: 1 });
    const dynamic = "<sip:phone@192.0.2.100>";
    await answer(register(dynamic, LOBBY));
    for (const contact of [`<${GATE}>;expires=0`, `<${GATE}>;q=0.1`]) {
      expect((await answer(register(contact, LOBBY))).status).toBe(200);
    }
    expect(await uris("sip:lobby@example.com")).toEqual([
      "sip:phone@192.0.2.100",
      GATE,
      "sip:desk@192.0.2.8",
    ]);
    await answer(register("*", { ...LOBBY, lines: ["Expires: 0"] }));
    expect(await uris("sip:lobby@example.com")).toEqual([GATE, "sip:desk@192.0.2.8"]);
  });

  it("must be contacts of users of the registrar's domains", async () => {
    for (const broken of [
      { "sip:lobby@example.net": [GATE] },
      { lobby: [GATE] },
      { "sip:lobby@example.com": ["gate"] },
      { "sip:lobby@example.com": ["<sip:gate"] },
      { "sip:lobby@example.com": ["*"] },
    ]) {
      await expect(setUp({ static: broken })).rejects.toMatchObject({ code: "SIP_BAD_OPTION" });
    }
  });
});

describe("Registrar, devices that don't take a method", () => {
  const CALLS = "Allow: INVITE, ACK, BYE, CANCEL";

  it("are left out, and 405 says what they take when nobody is left", async () => {
    const { answer, server, passed } = await setUp({ methodFilter: true });
    await answer(register("<sip:calls@192.0.2.100>", { callId: "1", lines: [CALLS] }));
    expect((await answer(request("MESSAGE", ALICE))).headers.getAll("allow")).toEqual([
      "INVITE",
      "ACK",
      "BYE",
      "CANCEL",
    ]);
    await answer(
      register('<sip:chat@192.0.2.100>;methods="MESSAGE, OPTIONS"', {
        callId: "2",
        lines: [CALLS],
      }),
    );
    await server.ask(request("MESSAGE", ALICE));
    await server.ask(request("INVITE", ALICE));
    expect(passed.map(urisOf)).toEqual([["sip:chat@192.0.2.100"], ["sip:calls@192.0.2.100"]]);
    const refused = await answer(request("SUBSCRIBE", ALICE));
    expect(refused.status).toBe(405);
    await answer(register("<sip:silent@192.0.2.100>", { callId: "3" }));
    await server.ask(request("SUBSCRIBE", ALICE));
    expect(urisOf(passed[2])).toEqual(["sip:silent@192.0.2.100"]);
  });

  it("are asked all the same where nobody wants to know", async () => {
    const { answer, server, passed, registrar } = await setUp();
    await answer(register(PHONE, { lines: [CALLS] }));
    await server.ask(request("MESSAGE", ALICE));
    expect(passed).toHaveLength(1);
    expect((await registrar.query(ALICE))[0]).not.toHaveProperty("methods");
  });

  it("count as silent when they say more than is kept", async () => {
    const { answer, server, passed } = await setUp({ methodFilter: true });
    await answer(register(PHONE, { lines: [`Allow: ${"X".repeat(513)}`] }));
    await server.ask(request("MESSAGE", ALICE));
    expect(passed).toHaveLength(1);
  });
});

describe("Registrar, what an application keeps with a binding", () => {
  it("is what it says of the last REGISTER, and nothing where it says nothing", async () => {
    const tenantOf = (tenant: string | undefined): Readonly<Record<string, string>> | undefined =>
      tenant === undefined ? undefined : { tenant };
    const { answer, registrar } = await setUp({
      attributes: ({ headers }) => tenantOf(headers.get("x-tenant")),
    });
    const told: unknown[] = [];
    registrar.events.on("refreshed", ({ binding, previous }) =>
      told.push([binding.attributes, previous?.attributes]),
    );
    const kept = async (...lines: string[]): Promise<unknown> => {
      await answer(register(PHONE, { lines }));
      return (await registrar.query(ALICE)).map(({ attributes }) => attributes);
    };
    expect(await kept("X-Tenant: 7")).toEqual([{ tenant: "7" }]);
    expect(await kept("X-Tenant: 8")).toEqual([{ tenant: "8" }]);
    expect(await kept()).toEqual([undefined]);
    expect(told).toEqual([
      [{ tenant: "8" }, { tenant: "7" }],
      [undefined, { tenant: "8" }],
    ]);
  });
});

describe("Registrar, whose bindings", () => {
  it("tells users apart by case, unless told not to", async () => {
    const { answer, uris, server, passed } = await setUp({ userCase: "insensitive" });
    await answer(register(PHONE, { to: "<sip:ALICE@Example.com>" }));
    expect(await uris()).toHaveLength(1);
    await server.ask(request("INVITE", "sip:aLICE@example.com"));
    expect(passed).toHaveLength(1);
  });

  it("takes one domain for another that it is a name of", async () => {
    const domains = ["example.com", "example.net"];
    const { answer, uris, server, passed } = await setUp(
      { aliases: { "Example.NET": "example.com" } },
      { domains },
    );
    const byAlias = { uri: "sip:example.net", to: "<sip:alice@example.net>" };
    expect((await answer(register(PHONE, byAlias))).status).toBe(200);
    expect(await uris()).toHaveLength(1);
    expect((await answer(register(PHONE, { uri: "sip:example.net" }))).status).toBe(200);
    await server.ask(request("INVITE", "sip:alice@example.net"));
    expect(passed).toHaveLength(1);
    expect((await answer(register(PHONE, { to: "<sip:alice@example.org>" }))).status).toBe(404);
  });

  it.each([
    "<sip:alice@example.com>",
    "<sips:%61lice@EXAMPLE.com:5061;x=y>",
    "<sip:alice@192.0.2.1:5060>",
    "<sip:bob@example.com;gr=urn:uuid:1>",
  ])("refuses the Contact %s, which would lead back, and counts it", async (contact) => {
    const { answer, uris, server } = await setUp();
    expect((await answer(register(`${PHONE}, ${contact}`))).status).toBe(403);
    expect((await answer(register(`${contact};expires=0`))).status).toBe(200);
    expect(await uris()).toEqual([]);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsLeadingBack: 1 });
  });

  it("takes a Contact with headers for another URI than the address-of-record", async () => {
    const { answer, uris } = await setUp();
    const contact = "sip:alice@example.com?Route=%3Csip:sip.example.com%3E";
    expect((await answer(register(`<${contact}>`))).status).toBe(200);
    expect(await uris()).toEqual([contact]);
  });

  it("lets a user forward to another one", async () => {
    const { answer, uris } = await setUp();
    expect((await answer(register("<sip:bob@example.com>"))).status).toBe(200);
    expect(await uris()).toEqual(["sip:bob@example.com"]);
  });
});

describe("Registrar on a store that overtakes itself", () => {
  /** Each update and read takes a shorter time than the one before it. */
  function hasty(): LocationStore {
    const store = inMemory();
    let wait = 12;
    const later = async <T>(run: () => T): Promise<T> => {
      wait -= 3;
      const turns = wait;
      for (let turn = 0; turn < turns; turn += 1) await new Promise((done) => setImmediate(done));
      return run();
    };
    return {
      ...store,
      read: (key) => later(() => store.read(key) as never),
      update: (key, change) => later(() => store.update(key, change) as never),
    };
  }

  it("keeps one user's REGISTERs in their order", async () => {
    const { server, uris } = await setUp({ store: hasty() });
    const sent = await Promise.all([
      server.ask(register("<sip:1@192.0.2.100>", { callId: "1" })),
      server.ask(register("*", { callId: "2", lines: ["Expires: 0"] })),
      server.ask(register("<sip:3@192.0.2.100>", { callId: "3" })),
    ]);
    expect(sent).toHaveLength(3);
    for (let turn = 0; turn < 40; turn += 1) await new Promise((done) => setImmediate(done));
    expect(await uris()).toEqual(["sip:3@192.0.2.100"]);
  });

  it("goes on after one that failed", async () => {
    const memory = inMemory();
    let calls = 0;
    const update: LocationStore["update"] = async (key, change) => {
      calls += 1;
      await new Promise((done) => setImmediate(done));
      if (calls === 1) throw new Error("lost");
      return memory.update(key, change);
    };
    const { server, uris } = await setUp({ store: { ...memory, update } });
    await Promise.all([
      server.ask(register("<sip:1@192.0.2.100>", { callId: "1" })),
      server.ask(register("<sip:2@192.0.2.100>", { callId: "2" })),
    ]);
    for (let turn = 0; turn < 10; turn += 1) await new Promise((done) => setImmediate(done));
    expect(await uris()).toEqual(["sip:2@192.0.2.100"]);
  });
});

describe("Registrar, its options", () => {
  it("refuses those that make no sense", () => {
    for (const options of [
      { expiresJitter: 1 },
      { expiresJitter: -0.1 },
      { expiresJitter: Number.NaN },
      { defaultQ: 1.1 },
      { matching: { param: "" } },
      { flowTimer: 0 },
      { serviceRoute: "sip:edge.example.com" },
      { serviceRoute: ["<sip:edge.example.com>"] },
      { aliases: { "*.example.net": "example.com" } },
      { aliases: { "a b": "example.com" } },
    ] as readonly RegistrarOptions[]) {
      expect(() => new Registrar({ store: memoryStore(), ...options })).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^SIP_BAD_(OPTION|DOMAIN)$/) }),
      );
    }
  });
});
