import { dialogRoute, onRequest, type Request, targets } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import type { Binding } from "./binding.ts";
import type { LocationStore } from "./location-store.ts";
import { memoryStore } from "./memory-store.ts";
import { Registrar } from "./registrar.ts";
import type { RegistrarOptions } from "./registrar-options.ts";
import {
  ALICE,
  contactsOf,
  distant,
  inMemory,
  PHONE,
  register,
  request,
  setUp,
} from "./test-kit/registrar-kit.ts";

describe("Registrar, RFC 3261 §10.3 step 1: the domain of the request-URI", () => {
  it("takes a REGISTER for a domain of the dispatcher's, in any case", async () => {
    const { answer, uris } = await setUp();
    expect((await answer(register(PHONE, { uri: "sip:EXAMPLE.com" }))).status).toBe(200);
    expect(await uris()).toEqual(["sip:alice@192.0.2.100"]);
  });

  it("passes a REGISTER for a foreign domain on, untouched", async () => {
    const { server, passed, uris } = await setUp();
    const text = register(PHONE, { uri: "sip:example.net", to: "<sip:alice@example.net>" });
    await server.ask(text);
    expect(passed.map((request) => request.uri)).toEqual(["sip:example.net"]);
    expect(await uris("sip:alice@example.net")).toEqual([]);
  });

  it("takes one that names the server by its address, as many phones do", async () => {
    const { answer, uris } = await setUp();
    expect((await answer(register(PHONE, { uri: "sip:192.0.2.1:5060" }))).status).toBe(200);
    const byAddress = { uri: "sip:192.0.2.1", to: "<sip:bob@192.0.2.1>" };
    expect((await answer(register("<sip:bob@192.0.2.100>", byAddress))).status).toBe(200);
    expect(await uris()).toHaveLength(1);
    expect(await uris("sip:bob@example.com")).toEqual(["sip:bob@192.0.2.100"]);
  });

  it("does not take example.com's neighbours for it", async () => {
    const { server, passed } = await setUp({ domains: ["*.example.com", "example.org"] });
    for (const host of ["evilexample.com", "example.com", "a.example.org", "example.org.net"]) {
      await server.ask(register(PHONE, { uri: `sip:${host}`, to: `<sip:alice@${host}>` }));
    }
    expect(passed).toHaveLength(4);
  });

  it("takes every name below a domain with a star", async () => {
    const { answer, uris } = await setUp({ domains: "*.example.com" });
    for (const host of ["a.example.com", "A.B.example.com."]) {
      const text = register(PHONE, { uri: `sip:${host}`, to: `<sip:alice@${host}>` });
      expect((await answer(text)).status).toBe(200);
      expect(await uris(`sip:alice@${host.toLowerCase()}`)).toHaveLength(1);
    }
  });

  it("with domains of its own leaves the dispatcher's others to another registrar", async () => {
    const { server, passed, answer } = await setUp(
      { domains: ["example.org"] },
      { domains: ["example.com", "example.org"] },
    );
    await server.ask(register(PHONE));
    await server.ask(register(PHONE, { uri: "sip:192.0.2.1" }));
    await server.ask(request("INVITE", "sip:alice@example.com"));
    await server.ask(register(PHONE, { to: "<sip:alice@example.org>" }));
    expect(passed).toHaveLength(4);
    const ours = { uri: "sip:192.0.2.1", to: "<sip:alice@example.org>" };
    expect((await answer(register(PHONE, ours))).status).toBe(200);
  });

  it("passes on a request-URI of another scheme", async () => {
    const { server, passed } = await setUp();
    await server.ask(register(PHONE, { uri: "tel:+358" }));
    expect(passed).toHaveLength(1);
  });
});

describe("Registrar, RFC 3261 §10.3 step 2: Require", () => {
  it("refuses what it doesn't support with 420 and exactly that in Unsupported", async () => {
    const { answer, uris } = await setUp();
    const response = await answer(
      register(PHONE, { lines: ["Require: path, 100rel", "Require: x-own"] }),
    );
    expect(response.status).toBe(420);
    expect(response.headers.getAll("unsupported")).toEqual(["100rel", "x-own"]);
    expect(await uris()).toEqual([]);
  });

  it("supports path", async () => {
    const { answer } = await setUp();
    expect((await answer(register(PHONE, { lines: ["Require: Path"] }))).status).toBe(200);
  });
});

describe("Registrar, RFC 3261 §10.3 step 5: the address-of-record", () => {
  it("answers 404 when it isn't of the request-URI's domain", async () => {
    const { answer, uris } = await setUp({}, { domains: ["example.com", "example.org"] });
    for (const to of ["<sip:alice@example.org>", "<sip:alice@example.net>"]) {
      expect((await answer(register(PHONE, { to }))).status).toBe(404);
    }
    expect(await uris("sip:alice@example.org")).toEqual([]);
  });

  it("answers 400 when it is no SIP URI, RFC 4475 §3.3.4", async () => {
    const { answer } = await setUp();
    for (const to of ["<isbn:2983792873>", "<tel:+15551234>", "<x-sip:alice@example.com>"]) {
      expect((await answer(register(PHONE, { to }))).status).toBe(400);
    }
  });

  it("answers 404 when it has no user", async () => {
    const { answer } = await setUp();
    expect((await answer(register(PHONE, { to: "<sip:example.com>" }))).status).toBe(404);
  });

  it("takes To and not From", async () => {
    const { answer, uris } = await setUp();
    await answer(register(PHONE).replace("From: <sip:alice", "From: <sip:bob"));
    expect(await uris()).toHaveLength(1);
    expect(await uris("sip:bob@example.com")).toEqual([]);
  });

  it("is canonical: unescaped, without parameters and password, the host without case, the user with", async () => {
    const { answer, uris } = await setUp();
    await answer(
      register("<sip:1@192.0.2.100>", { to: "<sip:%61lice:pw@Example.COM;user=phone>" }),
    );
    await answer(register("<sip:2@192.0.2.100>", { to: "sip:alice@example.com" }));
    await answer(register("<sip:3@192.0.2.100>", { to: "<sips:alice@example.com:5061>" }));
    await answer(register("<sip:4@192.0.2.100>", { to: "<sip:Alice@example.com>" }));
    expect(await uris()).toEqual([3, 2, 1].map((user) => `sip:${user}@192.0.2.100`));
    expect(await uris("sip:Alice@example.com")).toEqual(["sip:4@192.0.2.100"]);
  });

  it("may be any user, whatever JavaScript calls its own", async () => {
    const { answer, uris } = await setUp();
    for (const user of ["__proto__", "constructor", "toString", "%00", "a%40b"]) {
      expect(await uris(`sip:${user}@example.com`)).toEqual([]);
      await answer(register(PHONE, { to: `<sip:${user}@example.com>` }));
      expect(await uris(`sip:${user}@example.com`)).toHaveLength(1);
    }
  });
});

describe("Registrar, RFC 3261 §10.3 step 6: without Contact, and Contact *", () => {
  it("without Contact answers with the bindings and changes nothing", async () => {
    const { answer, uris } = await setUp();
    expect(contactsOf(await answer(register(undefined)))).toEqual([]);
    await answer(register(PHONE));
    const response = await answer(register(undefined, { cseq: 1, lines: ["Expires: 0"] }));
    expect(contactsOf(response)).toEqual(["<sip:alice@192.0.2.100>;expires=300"]);
    expect(await uris()).toHaveLength(1);
  });

  it("removes all bindings for * with Expires 0", async () => {
    const { answer, uris } = await setUp();
    await answer(register(PHONE));
    await answer(register("<sip:alice@192.0.2.101>", { callId: "other" }));
    const response = await answer(register("*", { lines: ["Expires: 0"] }));
    expect([response.status, contactsOf(response)]).toEqual([200, []]);
    expect(await uris()).toEqual([]);
  });

  it.each([
    ["without Expires", "*", []],
    ["with another Expires", "*", ["Expires: 60"]],
    ["with a malformed Expires", "*", ["Expires: zero"]],
    ["beside another Contact in its line", `*, ${PHONE}`, ["Expires: 0"]],
    ["beside another Contact in a line before", PHONE, ["Contact: *", "Expires: 0"]],
    ["twice", "*, *", ["Expires: 0"]],
    ["with parameters", "*;expires=0", []],
    ["in brackets", "<*>", ["Expires: 0"]],
  ])("answers * %s with 400 and changes nothing", async (_case, contact, lines) => {
    const { answer, uris } = await setUp();
    await answer(register(PHONE));
    expect((await answer(register(contact, { lines }))).status).toBe(400);
    expect(await uris()).toEqual(["sip:alice@192.0.2.100"]);
  });

  it("removes a binding of the same Call-ID for * only with a higher CSeq, else none at all", async () => {
    const { answer, uris } = await setUp();
    await answer(register("<sip:alice@192.0.2.101>", { callId: "other", cseq: 1 }));
    await answer(register(PHONE, { cseq: 1000 }));
    for (const cseq of [999, 1000]) {
      expect((await answer(register("*", { cseq, lines: ["Expires: 0"] }))).status).toBe(500);
      expect(await uris()).toHaveLength(2);
    }
    expect((await answer(register("*", { cseq: 1001, lines: ["Expires: 0"] }))).status).toBe(200);
    expect(await uris()).toEqual([]);
  });
});

describe("Registrar, RFC 3261 §10.3 step 7: how long", () => {
  const expires = async (
    contact: string,
    lines: readonly string[] = [],
    options: RegistrarOptions = {},
  ): Promise<string | undefined> => {
    const { answer } = await setUp({
      minExpires: 60,
      maxExpires: 7200,
      defaultExpires: 900,
      ...options,
    });
    const response = await answer(register(contact, { lines }));
    expect(response.status).toBe(200);
    return contactsOf(response)[0];
  };
  const granted = (seconds: number): string => `${PHONE};expires=${seconds}`;

  it("takes the parameter before the header before the default", async () => {
    expect(await expires(`${PHONE};expires=100`, ["Expires: 200"])).toBe(granted(100));
    expect(await expires(PHONE, ["Expires: 200"])).toBe(granted(200));
    expect(await expires(PHONE)).toBe(granted(900));
  });

  it("defaults to the maximum, which is 300, and takes the parameter of a bare URI", async () => {
    const { answer } = await setUp();
    expect(contactsOf(await answer(register("sip:alice@192.0.2.100")))).toEqual([granted(300)]);
    expect(contactsOf(await answer(register("sip:alice@192.0.2.100;expires=31")))).toEqual([
      granted(31),
    ]);
  });

  it.each(["", "abc", "-1", "+60", "1e9", "0x10", "60s", "6 0", "\u0663", "NaN", "60.5"])(
    "takes the malformed %j for 3600",
    async (value) => {
      expect(await expires(PHONE, [`Expires: ${value}`])).toBe(granted(3600));
      const parameter = /^[\w+.-]*$/.test(value) ? value : `"${value}"`;
      expect(await expires(`${PHONE};expires${parameter && "="}${parameter}`)).toBe(granted(3600));
    },
  );

  it("grants at most the maximum, of however large a number", async () => {
    for (const asked of ["7201", "4294967295", "4294967296", "9007199254740993", "9".repeat(400)]) {
      expect(await expires(`${PHONE};expires=${asked}`)).toBe(granted(7200));
    }
  });

  it("refuses less than the minimum with 423 and Min-Expires, and changes nothing", async () => {
    const { answer, uris } = await setUp({ minExpires: 60, maxExpires: 7200 });
    await answer(register(PHONE));
    for (const [contact, lines] of [
      [`${PHONE};expires=59`, []],
      [PHONE, ["Expires: 1"]],
      [`<sip:new@192.0.2.100>, ${PHONE};expires=30`, []],
    ] as const) {
      const response = await answer(register(contact, { lines }));
      expect(response.status).toBe(423);
      expect(response.headers.get("min-expires")).toBe("60");
    }
    expect(await uris()).toEqual(["sip:alice@192.0.2.100"]);
  });

  it("never refuses an hour or more, whatever the minimum", async () => {
    expect(await expires(`${PHONE};expires=3600`, [], { minExpires: 7200 })).toBe(granted(3600));
  });

  it("counts each Contact by itself, and one with 0 as a removal", async () => {
    const { answer } = await setUp();
    await answer(register("<sip:old@192.0.2.100>"));
    const three =
      "<sip:a@192.0.2.100>;expires=100, <sip:old@192.0.2.100>;expires=0, <sip:b@192.0.2.100>";
    expect(contactsOf(await answer(register(three, { lines: ["Expires: 200"] })))).toEqual([
      "<sip:a@192.0.2.100>;expires=100",
      "<sip:b@192.0.2.100>;expires=200",
    ]);
  });
});

describe("Registrar, RFC 3261 §10.3 step 7: which binding", () => {
  it("compares URIs by §19.1.4", async () => {
    const { answer, uris } = await setUp();
    await answer(register("<sip:%61lice@Phone.example.net;transport=TCP;x=1>"));
    await answer(register("<sip:alice@phone.example.net;Transport=tcp>"));
    expect(await uris()).toEqual(["sip:alice@phone.example.net;Transport=tcp"]);
    for (const other of [
      "sip:alice@phone.example.net:5060;transport=tcp",
      "sip:alice@phone.example.net",
      "sip:ALICE@phone.example.net;transport=tcp",
      "sips:alice@phone.example.net;transport=tcp",
      "sip:alice@[2001:db8::7]:5060;transport=tcp",
    ]) {
      await answer(register(`<${other}>`));
      expect((await uris())[0]).toBe(other);
    }
    expect(await uris()).toHaveLength(6);
  });

  it("prefers the binding that is written the same, where several are equal", async () => {
    const { answer, registrar } = await setUp({ maxExpires: 3600 });
    for (const security of ["on", "off"]) {
      await answer(register(`<sip:carol@192.0.2.100;security=${security}>;expires=100`));
    }
    await answer(register("<sip:carol@192.0.2.100;security=on>;expires=900"));
    const bindings = await registrar.query(ALICE);
    expect(bindings.map(({ uri, expires }) => [uri.split("=")[1], expires])).toEqual([
      ["on", 900],
      ["off", 100],
    ]);
  });

  it("keeps several devices of a user, each by its own Call-ID and CSeq", async () => {
    const { answer, registrar } = await setUp();
    await answer(register("<sip:desk@192.0.2.100>", { callId: "desk", cseq: 70 }));
    await answer(register("<sip:mobile@192.0.2.100>", { callId: "mobile", cseq: 3 }));
    await answer(register("<sip:mobile@192.0.2.100>", { callId: "mobile", cseq: 4 }));
    const bindings = await registrar.query(ALICE);
    expect(bindings.map(({ uri, callId, cseq }) => [uri, callId, cseq])).toEqual([
      ["sip:mobile@192.0.2.100", "mobile", 4],
      ["sip:desk@192.0.2.100", "desk", 70],
    ]);
  });

  it("lets a phone that lost its Call-ID begin anew, with any CSeq", async () => {
    const { answer, registrar } = await setUp();
    await answer(register(PHONE, { callId: "before", cseq: 500 }));
    expect((await answer(register(PHONE, { callId: "after", cseq: 1 }))).status).toBe(200);
    const removal = await answer(register(`${PHONE};expires=0`, { callId: "third", cseq: 1 }));
    expect(removal.status).toBe(200);
    expect(await registrar.query(ALICE)).toEqual([]);
  });

  it.each([
    ["an older REGISTER", 9, PHONE],
    ["an older removal", 9, `${PHONE};expires=0`],
    ["another REGISTER of the same CSeq", 10, `${PHONE};expires=100`],
    ["the same Contact in another REGISTER of the same CSeq", 10, PHONE],
  ])("answers %s with 500 and changes nothing", async (_case, cseq, contact) => {
    const { answer, registrar } = await setUp();
    await answer(register(PHONE, { cseq: 10 }));
    const before = await registrar.query(ALICE);
    const response = await answer(register(`<sip:new@192.0.2.100>, ${contact}`, { cseq }));
    expect(response.status).toBe(500);
    expect(await registrar.query(ALICE)).toEqual(before);
    expect((await answer(register(contact, { cseq }))).status).toBe(500);
    expect(await registrar.query(ALICE)).toEqual(before);
  });

  it("gives the very same message again the same 200, without another effect", async () => {
    const { server, registrar, answer } = await setUp();
    const events: string[] = [];
    registrar.events.on("refreshed", () => events.push("refreshed"));
    const text = register(`<sip:gone@192.0.2.100>;expires=0, ${PHONE}, <sip:two@192.0.2.100>`);
    const first = await answer(text);
    expect(first.status).toBe(200);
    // Past the transaction's own memory of it.
    await server.clock.advance(40_000);
    const again = await answer(text);
    expect(contactsOf(again)).toEqual([
      "<sip:alice@192.0.2.100>;expires=260",
      "<sip:two@192.0.2.100>;expires=260",
    ]);
    expect(events).toEqual([]);
    // What was changed since stays changed.
    await answer(register("<sip:two@192.0.2.100>;expires=0"));
    await server.clock.advance(40_000);
    expect(contactsOf(await answer(text))).toEqual(["<sip:alice@192.0.2.100>;expires=220"]);
  });

  it("lets the last one count of equal Contacts in one REGISTER", async () => {
    const { answer, registrar } = await setUp();
    const events: string[] = [];
    for (const name of ["added", "refreshed", "removed"] as const) {
      registrar.events.on(name, () => events.push(name));
    }
    await answer(register(`${PHONE};expires=100, ${PHONE};expires=200`));
    expect((await registrar.query(ALICE)).map(({ expires }) => expires)).toEqual([200]);
    await answer(register(`${PHONE};expires=100, ${PHONE};expires=0`));
    expect(await registrar.query(ALICE)).toEqual([]);
    await answer(register(`${PHONE};expires=0, ${PHONE};expires=100`));
    expect(events).toEqual(["added", "removed", "added"]);
  });

  it.each([
    ["sip:b@@:::", 400],
    ["sip:a@[::1:5060", 400],
    ["sip:a@192.0.2.7:99999", 400],
    ["sip:", 400],
    ["", 400],
    ["alice", 400],
    [`sip:${"a".repeat(1100)}@192.0.2.7`, 403],
  ])("refuses the Contact <%s> and with it the whole REGISTER", async (uri, status) => {
    const { answer, uris } = await setUp();
    const response = await answer(register(`<sip:good@192.0.2.100>, <${uri}>`));
    expect(response.status).toBe(status);
    expect(await uris()).toEqual([]);
  });

  it.each(["1.1", "2", "-1", "0.1234", "x", "1e-1"])("answers q=%s with 400", async (q) => {
    const { answer, uris } = await setUp();
    expect((await answer(register(`${PHONE};q=${q}`))).status).toBe(400);
    expect(await uris()).toEqual([]);
  });

  it("answers 500 when the store fails, and reports it", async () => {
    for (const failing of [
      (): never => {
        throw new Error("disk full");
      },
      async (): Promise<never> => Promise.reject(new Error("connection lost")),
    ]) {
      const { answer, server } = await setUp({ store: { ...inMemory(), update: failing } });
      expect((await answer(register(PHONE))).status).toBe(500);
      expect(server.errors).toHaveLength(1);
    }
  });
});

describe("Registrar, its bounds", () => {
  it("refuses a binding too many with 403, and lets the others be refreshed and replaced", async () => {
    const { answer, uris } = await setUp({ maxBindings: 2 });
    await answer(register("<sip:1@192.0.2.100>, <sip:2@192.0.2.100>"));
    expect((await answer(register("<sip:3@192.0.2.100>"))).status).toBe(403);
    expect((await answer(register("<sip:1@192.0.2.100>"))).status).toBe(200);
    const exchange = "<sip:3@192.0.2.100>, <sip:1@192.0.2.100>;expires=0";
    expect((await answer(register(exchange))).status).toBe(200);
    expect(await uris()).toEqual(["sip:3@192.0.2.100", "sip:2@192.0.2.100"]);
  });

  it("lets a user refresh and remove who has too many since the limit was lowered", async () => {
    const store = memoryStore();
    const before = await setUp({ store });
    await before.answer(register("<sip:1@192.0.2.100>, <sip:2@192.0.2.100>, <sip:3@192.0.2.100>"));
    const { answer, uris } = await setUp({ store, maxBindings: 1 });
    expect((await answer(register("<sip:1@192.0.2.100>"))).status).toBe(200);
    expect((await answer(register("<sip:4@192.0.2.100>"))).status).toBe(403);
    expect((await answer(register("<sip:3@192.0.2.100>;expires=0"))).status).toBe(200);
    expect(await uris()).toEqual(["sip:1@192.0.2.100", "sip:2@192.0.2.100"]);
  });

  it("allows ten bindings unless told otherwise", async () => {
    const { answer, uris } = await setUp();
    for (let index = 1; index <= 11; index += 1) {
      const response = await answer(register(`<sip:${index}@192.0.2.100>`));
      expect(response.status).toBe(index === 11 ? 403 : 200);
    }
    expect(await uris()).toHaveLength(10);
  });

  it("refuses a REGISTER of too many Contacts with 403", async () => {
    const { answer, uris } = await setUp({ maxContacts: 2 });
    const three = [1, 2, 3].map((user) => `<sip:${user}@192.0.2.100>`).join(", ");
    expect((await answer(register(three))).status).toBe(403);
    expect(await uris()).toEqual([]);
  });

  it("refuses a Call-ID or a Path that is too long to keep", async () => {
    const { answer } = await setUp();
    expect((await answer(register(PHONE, { callId: "c".repeat(257) }))).status).toBe(403);
    const path = `Path: <sip:${"p".repeat(1100)}@192.0.2.9;lr>`;
    expect((await answer(register(PHONE, { lines: [path] }))).status).toBe(403);
  });

  it("answers 503 when the store is full, counts it and reports nothing", async () => {
    const { answer, server, uris } = await setUp({ store: memoryStore({ capacity: 1 }) });
    await answer(register(PHONE));
    const bob = { to: "<sip:bob@example.com>" };
    expect((await answer(register(PHONE, bob))).status).toBe(503);
    expect((await answer(register("<sip:two@192.0.2.100>"))).status).toBe(200);
    expect(await uris()).toHaveLength(2);
    expect(server.errors).toEqual([]);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsStoreFull: 1 });
  });

  it("counts what it refuses", async () => {
    const { answer, server } = await setUp({ maxContacts: 1 });
    await answer(register(PHONE, { cseq: 9000 }));
    await answer(register(PHONE, { cseq: 8999 }));
    await answer(register(`${PHONE};expires=1`));
    await answer(register(`${PHONE}, <sip:two@192.0.2.100>`));
    expect(server.dispatcher.counters()).toMatchObject({
      registrationsOutOfOrder: 1,
      registrationsTooBrief: 1,
      registrationsOverLimit: 1,
    });
  });

  it("refuses options that make no sense", () => {
    for (const options of [
      { minExpires: 400 },
      { minExpires: -1 },
      { maxExpires: 0, minExpires: 0 },
      { maxExpires: 1.5, minExpires: 1 },
      { maxExpires: Number.NaN },
      { defaultExpires: 301 },
      { maxBindings: 0 },
      { maxContacts: -1 },
      { domains: "" },
      { domains: ["example.com", "a b"] },
    ]) {
      expect(() => new Registrar(options)).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^SIP_BAD_(OPTION|DOMAIN)$/) }),
      );
    }
  });
});

describe("Registrar, RFC 3261 §10.3 step 8: the 200", () => {
  it("tells every binding as it was registered, what is left of its time, and the date", async () => {
    const { answer, server } = await setUp({ maxExpires: 3600 });
    const instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"';
    await answer(
      register(
        `"Desk" <SIP:%61lice@192.0.2.100:5060;Transport=UDP>;q=0.7;expires=600;${instance};methods="INVITE, BYE"`,
      ),
    );
    await server.clock.advance(100_400);
    const response = await answer(
      register("<sip:alice@[2001:db8::7]:5061;ob>;reg-id=1", { callId: "other" }),
    );
    expect(contactsOf(response)).toEqual([
      "<sip:alice@[2001:db8::7]:5061;ob>;reg-id=1;expires=3600",
      `<SIP:%61lice@192.0.2.100:5060;Transport=UDP>;q=0.7;${instance};methods="INVITE, BYE";expires=500`,
    ]);
    expect(response.headers.get("date")).toBe("Thu, 01 Jan 2026 00:01:40 GMT");
    expect(response.to.tag).toBeDefined();
  });

  it("tells nothing of a binding whose time is over, from the very moment, though it's still kept", async () => {
    const { answer, server, registrar } = await setUp();
    await answer(register(`${PHONE};expires=60`));
    server.clock.stepWall(59_999);
    expect(contactsOf(await answer(register(undefined)))).toEqual([`${PHONE};expires=1`]);
    server.clock.stepWall(1);
    expect(contactsOf(await answer(register(undefined)))).toEqual([]);
    expect(await registrar.query(ALICE)).toEqual([]);
    expect((await answer(request("INVITE", ALICE))).status).toBe(480);
    expect(registrar.expire()).toBe(1);
  });

  it("ignores Record-Route and gives none back", async () => {
    const { answer, registrar } = await setUp();
    const response = await answer(register(PHONE, { lines: ["Record-Route: <sip:192.0.2.9;lr>"] }));
    expect(response.headers.has("record-route")).toBe(false);
    expect((await registrar.query(ALICE))[0]?.path).toEqual([]);
  });

  it("keeps a contact of another scheme and never sends a request there", async () => {
    const { answer, server, passed } = await setUp();
    await answer(register("<mailto:alice@example.net>;q=1, <tel:+358-555>;q=0.9"));
    expect(contactsOf(await answer(register("<tel:+358555>;q=0.9")))).toHaveLength(2);
    expect((await answer(request("INVITE", "sip:alice@example.com"))).status).toBe(480);
    await answer(register(`${PHONE};q=0.1`));
    await server.ask(request("INVITE", "sip:alice@example.com"));
    expect(passed[0]?.get(targets)?.map(({ uri }) => uri)).toEqual(["sip:alice@192.0.2.100"]);
  });
});

describe("Registrar and Path, RFC 3327 §5.3", () => {
  const PATH = [
    "Path: <sip:p1.example.net;lr>",
    'Path: "P, 2" <sip:p2.example.net;lr>, <sip:p3.example.net;lr;x>',
  ];
  const HOPS = [
    "<sip:p1.example.net;lr>",
    '"P, 2" <sip:p2.example.net;lr>',
    "<sip:p3.example.net;lr;x>",
  ];

  it("keeps it in its order and hands it on as the target's route, without the flow of the proxy", async () => {
    const { answer, server, passed } = await setUp();
    await answer(register(PHONE, { lines: PATH }));
    await server.ask(request("INVITE", "sip:alice@example.com"));
    const [target] = passed[0]?.need(targets) ?? [];
    expect(target?.route).toEqual(HOPS);
    expect(target?.flow).toBeUndefined();
  });

  it("gives it back to a phone that supports it, and to no other", async () => {
    const { answer } = await setUp();
    const supporting = await answer(
      register(PHONE, { lines: [...PATH, "Supported: outbound, PATH"] }),
    );
    expect(supporting.headers.getAll("path")).toEqual(HOPS);
    const other = await answer(register(PHONE, { lines: PATH }));
    expect([other.status, other.headers.has("path")]).toEqual([200, false]);
  });

  it("goes when a phone registers without it", async () => {
    const { answer, registrar } = await setUp();
    await answer(register(PHONE, { lines: PATH }));
    await answer(register(PHONE));
    expect((await registrar.query(ALICE))[0]?.path).toEqual([]);
  });

  it("answers a malformed one with 400", async () => {
    const { answer, uris } = await setUp();
    expect((await answer(register(PHONE, { lines: ["Path: <sip:p1"] }))).status).toBe(400);
    expect(await uris()).toEqual([]);
  });
});

describe("Registrar, other requests to its users", () => {
  it("fills targets by falling q, the last refreshed first, and sets the request-URI to the best", async () => {
    const { answer, server, passed } = await setUp();
    await answer(register("<sip:low@192.0.2.100>;q=0.1"));
    await answer(register("<sip:old@192.0.2.100>;q=0.9"));
    await answer(register("<sip:best@192.0.2.100>"));
    await answer(register("<sip:new@192.0.2.100>;q=0.9"));
    await server.ask(request("INVITE", "sip:%61lice@EXAMPLE.com;user=ip"));
    const [invite] = passed;
    expect(invite?.need(targets).map(({ uri, q }) => [uri, q])).toEqual([
      ["sip:best@192.0.2.100", 1],
      ["sip:new@192.0.2.100", 0.9],
      ["sip:old@192.0.2.100", 0.9],
      ["sip:low@192.0.2.100", 0.1],
    ]);
    expect(invite?.uri).toBe("sip:best@192.0.2.100");
  });

  it("tells each target's device, time and flow", async () => {
    const { answer, server, passed } = await setUp();
    await answer(register(`${PHONE};reg-id=2;+sip.instance="<urn:uuid:1>"`), {
      address: "198.51.100.7",
      port: 61_234,
    });
    await server.ask(request("MESSAGE", "sip:alice@example.com"));
    expect(passed[0]?.need(targets)).toEqual([
      {
        uri: "sip:alice@192.0.2.100",
        q: 1,
        route: [],
        instance: "<urn:uuid:1>",
        regId: 2,
        expiresAt: server.clock.wall() + 300_000,
        flow: {
          node: server.dispatcher.node,
          epoch: server.dispatcher.epoch,
          protocol: "udp",
          local: "192.0.2.1:5060",
          remote: "198.51.100.7:61234",
        },
      },
    ]);
  });

  it("leaves out of the request-URI what none may have", async () => {
    const { answer, server, passed } = await setUp();
    await answer(register("<sip:alice@192.0.2.100;method=INVITE;ob?Subject=x>"));
    await server.ask(request("INVITE", "sip:alice@example.com"));
    expect(passed[0]?.uri).toBe("sip:alice@192.0.2.100;ob");
  });

  it("answers 404 for whom nobody knows and 480 for who had bindings", async () => {
    const { answer } = await setUp();
    expect((await answer(request("INVITE", "sip:alice@example.com"))).status).toBe(404);
    await answer(register(PHONE));
    await answer(register("*", { lines: ["Expires: 0"] }));
    expect((await answer(request("INVITE", "sip:alice@example.com"))).status).toBe(480);
  });

  it.each([
    ["at once", (user: string, domain: string) => user === "b@b" && domain === "example.com"],
    ["later", async (user: string, domain: string) => user === "b@b" && domain === "example.com"],
  ])("asks who is known, answered %s", async (_case, knownUsers) => {
    const { answer } = await setUp({ knownUsers });
    expect((await answer(request("INVITE", "sip:b%40b@Example.com"))).status).toBe(480);
    expect((await answer(request("INVITE", "sip:carol@example.com"))).status).toBe(404);
  });

  it.each([
    ["INVITE", "sip:alice@example.net"],
    ["OPTIONS", "sip:example.com"],
    ["OPTIONS", "sip:192.0.2.1:5060"],
    ["INVITE", "tel:+358"],
  ])("passes on what is for no user of its domains: %s %s", async (method, uri) => {
    const { server, passed } = await setUp();
    await server.ask(request(method, uri));
    expect(passed.map((each) => each.uri)).toEqual([uri]);
    expect(passed[0]?.get(targets)).toBeUndefined();
  });

  it("leaves alone what has targets, and what belongs to a dialog", async () => {
    const registrar = new Registrar();
    const seen: Request[] = [];
    const server = await TestServer.start([
      onRequest("INVITE", (request) => {
        request.set(targets, []);
      }),
      onRequest("BYE", (request) => {
        request.set(dialogRoute, { side: "a", flow: undefined });
      }),
      registrar,
      onRequest("*", (request) => {
        seen.push(request);
        return request.createResponse(499);
      }),
    ]);
    await server.ask(register(PHONE));
    await server.ask(request("INVITE", "sip:alice@example.com"));
    await server.ask(request("BYE", "sip:alice@example.com"));
    expect(seen.map(({ method, uri }) => [method, uri])).toEqual([
      ["INVITE", "sip:alice@example.com"],
      ["BYE", "sip:alice@example.com"],
    ]);
  });

  it("leaves ACK and CANCEL and responses alone", async () => {
    const { registrar, server } = await setUp();
    await server.ask(register(PHONE));
    const { Request: Made } = await import("@sipkit/core");
    const invite = Made.parse(
      "INVITE sip:alice@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:b@h>;tag=1\r\nTo: <sip:alice@example.com>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n",
    );
    const ack = invite.createAck(invite.createResponse(486));
    const cancel = invite.createCancel();
    for (const packet of [ack, cancel, invite.createResponse(180)]) {
      expect(registrar.receive(packet)).toBeUndefined();
    }
    expect([ack.uri, cancel.uri]).toEqual([invite.uri, invite.uri]);
  });
});

describe("Registrar, expiry and events", () => {
  const record = (registrar: Registrar): string[] => {
    const log: string[] = [];
    for (const name of ["added", "refreshed", "removed", "expired"] as const) {
      registrar.events.on(name, ({ addressOfRecord, binding, previous }) => {
        const moved = previous === undefined ? "" : ` from ${previous.cseq}`;
        log.push(`${name} ${binding.uri.slice(4, 5)} ${binding.cseq}${moved} ${addressOfRecord}`);
      });
    }
    return log;
  };

  it("tells of each binding that is added, refreshed and removed, after the store has it", async () => {
    const { registrar, answer } = await setUp();
    const log = record(registrar);
    let seen: readonly Binding[] = [];
    registrar.events.on("added", ({ addressOfRecord }) => {
      seen = registrar.query(addressOfRecord) as readonly Binding[];
    });
    await answer(register("<sip:a@192.0.2.100>, <sip:b@192.0.2.100>", { cseq: 1 }));
    expect(seen).toHaveLength(2);
    await answer(register("<sip:a@192.0.2.100>;expires=0, <sip:b@192.0.2.100>", { cseq: 2 }));
    await answer(register("<sip:c@192.0.2.100>;expires=0", { cseq: 3 }));
    await answer(register("*", { cseq: 4, lines: ["Expires: 0"] }));
    expect(log).toEqual([
      `added a 1 ${ALICE}`,
      `added b 1 ${ALICE}`,
      `removed a 1 ${ALICE}`,
      `refreshed b 2 from 1 ${ALICE}`,
      `removed b 2 ${ALICE}`,
    ]);
  });

  it("expires each binding by itself when its time comes, with one timer", async () => {
    const { registrar, server, answer, uris } = await setUp();
    const log = record(registrar);
    const timers = server.clock.pending;
    await answer(
      register("<sip:c@192.0.2.100>;expires=90", { to: "<sip:carol@example.com>", cseq: 1 }),
    );
    await answer(
      register("<sip:a@192.0.2.100>;expires=60, <sip:b@192.0.2.100>;expires=120", { cseq: 1 }),
    );
    log.length = 0;
    await server.clock.advance(59_999);
    expect(log).toEqual([]);
    await server.clock.advance(1);
    expect(log).toEqual([`expired a 1 ${ALICE}`]);
    expect(server.clock.pending - timers).toBe(1);
    await server.clock.advance(60_000);
    expect(log).toEqual([
      `expired a 1 ${ALICE}`,
      "expired c 1 sip:carol@example.com",
      `expired b 1 ${ALICE}`,
    ]);
    expect(await uris()).toEqual([]);
    expect(server.clock.pending).toBe(timers);
  });

  it("keeps a binding that is refreshed in time", async () => {
    const { registrar, server, answer } = await setUp();
    const log = record(registrar);
    for (let refresh = 1; refresh <= 10; refresh += 1) {
      await answer(register("<sip:a@192.0.2.100>;expires=60"));
      await server.clock.advance(50_000);
    }
    expect(log.filter((line) => line.startsWith("expired"))).toEqual([]);
    await server.clock.advance(10_000);
    expect(log.filter((line) => line.startsWith("expired"))).toHaveLength(1);
  });

  it("follows a binding whose time is cut short", async () => {
    const { registrar, server, answer } = await setUp();
    const log = record(registrar);
    await answer(register("<sip:a@192.0.2.100>;expires=300", { cseq: 1 }));
    await answer(register("<sip:a@192.0.2.100>;expires=30", { cseq: 2 }));
    await server.clock.advance(30_000);
    expect(log.at(-1)).toBe(`expired a 2 ${ALICE}`);
  });

  it("expires what is due when asked, and tells how many", async () => {
    const { registrar, server, answer } = await setUp({
      store: { ...inMemory(), nextExpiry: () => undefined },
    });
    const log = record(registrar);
    await answer(register("<sip:a@192.0.2.100>;expires=60, <sip:b@192.0.2.100>"));
    server.clock.stepWall(60_000);
    expect(registrar.expire()).toBe(1);
    expect(registrar.expire()).toBe(0);
    expect(log.at(-1)).toMatch(/^expired a/);
  });

  it("expires more than a batch in one call", async () => {
    const store = memoryStore();
    const { registrar, server } = await setUp({ store });
    const binding = { params: "", q: 1, callId: "c", cseq: 1, digest: 0, path: [] };
    for (let user = 0; user < 2500; user += 1) {
      store.update(`user ${user}`, () => [
        { ...binding, uri: "sip:a@192.0.2.100", expiresAt: server.clock.wall() },
      ]);
    }
    expect(registrar.expire()).toBe(2500);
  });

  it("follows the wall clock when it is set", async () => {
    const { registrar, server, answer } = await setUp({ maxExpires: 86_400 });
    const log = record(registrar);
    await answer(register("<sip:a@192.0.2.100>;expires=36000"));
    server.clock.stepWall(30_000_000);
    await server.clock.advance(6_000_000);
    expect(log.at(-1)).toMatch(/^expired a/);
  });

  it("tells of a binding that is over as expired, not as refreshed, when its phone is late", async () => {
    const { registrar, server, answer } = await setUp();
    const log = record(registrar);
    await answer(register("<sip:a@192.0.2.100>;expires=60", { cseq: 1 }));
    server.clock.stepWall(60_000);
    expect((await answer(register("<sip:a@192.0.2.100>;expires=60", { cseq: 1 }))).status).toBe(
      200,
    );
    expect(log).toEqual([`added a 1 ${ALICE}`, `expired a 1 ${ALICE}`, `added a 1 ${ALICE}`]);
  });

  it("lets go of its timer and closes its store", async () => {
    let closed = 0;
    const store: LocationStore = {
      ...inMemory(),
      close: () => {
        closed += 1;
      },
    };
    const { server, answer } = await setUp({ store });
    await answer(register(PHONE));
    await server.close();
    expect(closed).toBe(1);
    expect(server.clock.pending).toBe(0);
  });

  it("takes up the expiry of what a store kept from before", async () => {
    const store = memoryStore();
    const first = await setUp({ store });
    await first.answer(register("<sip:a@192.0.2.100>;expires=60"));
    await first.server.close();
    const second = await setUp({ store });
    const log = record(second.registrar);
    await second.server.clock.advance(60_000);
    expect(log).toHaveLength(1);
  });

  it("does not turn in circles for a store that has nothing for the time that it names", async () => {
    let calls = 0;
    const expire = (): readonly never[] => {
      calls += 1;
      return [];
    };
    const { server } = await setUp({ store: { ...inMemory(), expire, nextExpiry: () => 0 } });
    await server.clock.advance(10_000);
    expect(calls).toBe(11);
  });

  it("reports a listener that throws, and answers as if nothing was", async () => {
    const { registrar, server, answer } = await setUp();
    registrar.events.on("added", () => {
      throw new Error("listener");
    });
    expect((await answer(register(PHONE))).status).toBe(200);
    expect(server.errors.map(({ code }) => code)).toEqual(["SIP_LISTENER"]);
  });

  it("goes on after a store failed to expire", async () => {
    const memory = inMemory();
    let failures = 2;
    const expire: LocationStore["expire"] = (now, limit) => {
      failures -= 1;
      if (failures === 1) throw new Error("now");
      if (failures === 0) return Promise.reject(new Error("later"));
      return memory.expire(now, limit);
    };
    const { registrar, server, answer } = await setUp({ store: { ...memory, expire } });
    const log = record(registrar);
    await answer(register("<sip:a@192.0.2.100>;expires=60"));
    await server.clock.advance(62_000);
    expect(server.errors.map(({ code }) => code)).toEqual(["SIP_STORE", "SIP_STORE"]);
    expect(log.at(-1)).toMatch(/^expired a/);
  });
});

describe("Registrar on a store that answers later", () => {
  it("registers, refuses, looks up and expires all the same", async () => {
    const { registrar, answer, server, passed, uris } = await setUp({ store: distant() });
    const response = await answer(register("<sip:a@192.0.2.100>;expires=60", { cseq: 5 }));
    expect(contactsOf(response)).toEqual(["<sip:a@192.0.2.100>;expires=60"]);
    expect((await answer(register("<sip:a@192.0.2.100>", { cseq: 4 }))).status).toBe(500);
    expect(server.errors).toEqual([]);
    await server.ask(request("INVITE", "sip:alice@example.com"));
    expect(passed[0]?.uri).toBe("sip:a@192.0.2.100");
    const expired: string[] = [];
    registrar.events.on("expired", ({ binding }) => expired.push(binding.uri));
    await server.clock.advance(61_000);
    await server.clock.advance(1000);
    expect(expired).toEqual(["sip:a@192.0.2.100"]);
    expect(await uris()).toEqual([]);
    expect(await registrar.expire()).toBe(0);
  });

  it("loses none of two devices that register at the same time", async () => {
    const { server, uris } = await setUp({ store: distant() });
    await Promise.all([
      server.ask(register("<sip:a@192.0.2.100>", { callId: "a" })),
      server.ask(register("<sip:b@192.0.2.100>", { callId: "b" })),
    ]);
    expect((await uris()).toSorted()).toEqual(["sip:a@192.0.2.100", "sip:b@192.0.2.100"]);
  });
});

describe("Registrar with the memory store", () => {
  it("answers a REGISTER and a lookup at once, without a promise", async () => {
    const { registrar, server } = await setUp();
    await server.ask(register(PHONE));
    const { Request: Made } = await import("@sipkit/core");
    const response = registrar.receive(Made.parse(register(PHONE)));
    expect(response).toMatchObject({ status: 200 });
    const message = Made.parse(
      register(undefined).replaceAll("REGISTER", "MESSAGE").replace(/sip:/, "sip:alice@"),
    );
    expect(registrar.receive(message)).toBeUndefined();
    expect(message.uri).toBe("sip:alice@192.0.2.100");
  });

  it("asks for its server before it can work", () => {
    expect(() => new Registrar().query(ALICE)).toThrow("before start()");
  });
});
