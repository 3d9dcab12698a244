import { identity, onRequest, Reject } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { bindingId } from "./binding-id.ts";
import type { BindingEvent } from "./events.ts";
import { Registrar } from "./registrar.ts";
import { ALICE, distant, inMemory, PHONE, register, setUp } from "./test-kit/registrar-kit.ts";
import { sampleBinding } from "./testing.ts";

/** What happens, as `name user uri reason by`. */
function record({ events }: Registrar): string[] {
  const log: string[] = [];
  for (const name of ["added", "refreshed", "removed", "expired"] as const) {
    events.on(name, ({ addressOfRecord, binding, reason, by }: BindingEvent) => {
      log.push([name, addressOfRecord, binding.uri, reason ?? "-", by ?? "-"].join(" "));
    });
  }
  return log;
}

const stores = [
  ["at once", inMemory],
  ["later", distant],
] as const;

describe.each(stores)("Registrar.list on a store that answers %s", (_when, store) => {
  it("gives users with what is in force, page by page", async () => {
    const { registrar, server, answer } = await setUp({ store: store() });
    for (const user of ["a", "b", "c"]) {
      await answer(register(`<sip:${user}@192.0.2.100>`, { to: `<sip:${user}@example.com>` }));
    }
    const first = await registrar.list({ limit: 2 });
    expect(first.users).toHaveLength(2);
    const second = await registrar.list({ after: first.next, limit: 2 });
    expect(second.next).toBeUndefined();
    const users = [...first.users, ...second.users];
    expect(users.map(({ addressOfRecord }) => addressOfRecord).toSorted()).toEqual([
      "sip:a@example.com",
      "sip:b@example.com",
      "sip:c@example.com",
    ]);
    for (const { addressOfRecord, bindings } of users) {
      expect(bindings).toEqual(await registrar.query(addressOfRecord));
    }
    // The store has not been told yet.
    server.clock.stepWall(301_000);
    expect(await registrar.list()).toEqual({ users: [] });
  });

  it("adds static bindings to a user's own", async () => {
    const fixed = { [ALICE]: ["sip:gate@192.0.2.9"] };
    const { registrar, answer } = await setUp({ store: store(), static: fixed });
    expect(await registrar.list()).toEqual({ users: [] });
    await answer(register(PHONE));
    const { users } = await registrar.list();
    expect(users[0]?.bindings.map(({ uri }) => uri)).toEqual([
      "sip:alice@192.0.2.100",
      "sip:gate@192.0.2.9",
    ]);
  });
});

describe("Registrar.list", () => {
  it.each([0, -1, 1001, 1.5, Number.NaN])("refuses a limit of %s", async (limit) => {
    const { registrar } = await setUp();
    expect(() => registrar.list({ limit })).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });

  it("refuses an end of a page that was none", async () => {
    const { registrar } = await setUp();
    expect(() => registrar.list({ after: "'" })).toThrow(
      expect.objectContaining({ code: "SIP_BAD_CURSOR" }),
    );
  });
});

describe.each(stores)("Registrar.remove on a store that answers %s", (_when, store) => {
  it("removes all that a user has, and says who wanted it", async () => {
    const { registrar, answer, uris } = await setUp({ store: store() });
    await answer(register("<sip:1@192.0.2.100>, <sip:2@192.0.2.100>"));
    await answer(register("<sip:b@192.0.2.100>", { to: "<sip:bob@example.com>" }));
    const log = record(registrar);
    const removed = await registrar.remove("sip:%61lice@EXAMPLE.com;x", { by: "carol" });
    expect(removed.map(({ uri }) => uri)).toEqual(["sip:1@192.0.2.100", "sip:2@192.0.2.100"]);
    expect(log).toEqual([
      `removed ${ALICE} sip:1@192.0.2.100 operator carol`,
      `removed ${ALICE} sip:2@192.0.2.100 operator carol`,
    ]);
    expect(await uris()).toEqual([]);
    expect(await uris("sip:bob@example.com")).toHaveLength(1);
  });

  it("removes one binding by its id, which a refresh doesn't change", async () => {
    const { registrar, answer, uris } = await setUp({ store: store() });
    const phone = '<sip:1@192.0.2.100>;+sip.instance="<urn:uuid:1>"';
    await answer(register(`${phone}, <sip:2@192.0.2.100>`));
    const [binding] = await registrar.query(ALICE);
    await answer(register(`${phone};q=0.5`, { callId: "after a restart" }));
    const log = record(registrar);
    expect(await registrar.remove(ALICE, { id: "none" })).toEqual([]);
    expect(await registrar.remove(ALICE, { id: binding?.id })).toHaveLength(1);
    expect(await registrar.remove(ALICE, { id: binding?.id })).toEqual([]);
    expect(log).toEqual([`removed ${ALICE} sip:1@192.0.2.100 operator -`]);
    expect(await uris()).toEqual(["sip:2@192.0.2.100"]);
  });

  it("leaves alone who isn't ours, who has nothing, and what is static", async () => {
    const fixed = { [ALICE]: ["sip:gate@192.0.2.9"] };
    const { registrar, answer, uris } = await setUp({ store: store(), static: fixed });
    await answer(register(PHONE));
    for (const user of ["sip:alice@example.org", "tel:+1", "alice", "", "sip:bob@example.com"]) {
      expect(await registrar.remove(user)).toEqual([]);
    }
    expect(await registrar.remove(ALICE)).toHaveLength(1);
    expect(await uris()).toEqual(["sip:gate@192.0.2.9"]);
  });

  it("waits for a REGISTER that is under way", async () => {
    const { registrar, server, uris } = await setUp({ store: store() });
    const asked = server.ask(register(PHONE));
    await registrar.remove(ALICE);
    await asked;
    for (let turn = 0; turn < 10; turn += 1) await new Promise((done) => setImmediate(done));
    const left = await uris();
    expect(left).toEqual([]);
  });
});

describe("userUri", () => {
  it.each([
    "alice",
    "J%C3%B6rg",
    "a%20b%40c%0D%0A",
    "%3Cscript%3E",
    "%25%2561",
    "%FF",
    "+1-555;x=y",
    "a%3Ab",
    "%F0%9F%98%80",
  ])("makes of a listed user %s a URI that finds and removes her", async (user) => {
    const { registrar, answer } = await setUp();
    expect((await answer(register(PHONE, { to: `<sip:${user}@example.com>` }))).status).toBe(200);
    const [listed] = (await registrar.list()).users;
    const uri = listed?.uri ?? "";
    expect(uri).toMatch(/^sip:[!-~]+@example\.com$/);
    expect(await registrar.query(uri)).toHaveLength(1);
    expect(await registrar.remove(uri)).toHaveLength(1);
  });
});

describe("bindingId", () => {
  it("tells devices of one URI apart, and survives an address", () => {
    const ids = ["1", "2"].map((name) =>
      bindingId(sampleBinding(name, { uri: "sip:same@192.0.2.1" })),
    );
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
  });
});

describe("Registrar.events", () => {
  it("tell who did it and why a binding was removed", async () => {
    const registrar = new Registrar({ maxBindings: 1, whenFull: "replace-oldest" });
    const log = record(registrar);
    const proved = onRequest("REGISTER", (request) => {
      const user = request.headers.get("x-user");
      if (user === undefined) return;
      request.set(identity, { user, realm: "r", addressOfRecord: `sip:${user}@r`, scheme: "test" });
    });
    const server = await TestServer.start([proved, registrar]);
    const lines = ["X-User: boss"];
    await server.ask(register("<sip:1@192.0.2.100>", { lines }));
    await server.ask(register("<sip:1@192.0.2.100>"));
    await server.ask(register("<sip:2@192.0.2.100>", { lines }));
    await server.ask(register("<sip:2@192.0.2.100>;expires=0", { lines }));
    await server.ask(register("<sip:3@192.0.2.100>", { lines }));
    await server.ask(register("*", { lines: ["Expires: 0"] }));
    await server.ask(register("<sip:4@192.0.2.100>", { lines }));
    await server.clock.advance(301_000);
    expect(log).toEqual([
      `added ${ALICE} sip:1@192.0.2.100 - boss`,
      `refreshed ${ALICE} sip:1@192.0.2.100 - -`,
      `added ${ALICE} sip:2@192.0.2.100 - boss`,
      `removed ${ALICE} sip:1@192.0.2.100 replaced boss`,
      `removed ${ALICE} sip:2@192.0.2.100 unregistered boss`,
      `added ${ALICE} sip:3@192.0.2.100 - boss`,
      `removed ${ALICE} sip:3@192.0.2.100 unregistered -`,
      `added ${ALICE} sip:4@192.0.2.100 - boss`,
      `expired ${ALICE} sip:4@192.0.2.100 - -`,
    ]);
  });
});

describe.each(stores)("Registrar.counts on a store that answers %s", (_when, store) => {
  it("says what is there, and how REGISTERs were answered", async () => {
    const { registrar, server, answer } = await setUp({ store: store(), maxBindings: 2 });
    await answer(register("<sip:1@192.0.2.100>, <sip:2@192.0.2.100>"));
    await answer(register(undefined));
    await answer(register("<sip:3@192.0.2.100>"));
    await answer(register("<sip:1@192.0.2.100>;expires=5"));
    await answer(register("<sip:1@192.0.2.100>;expires=6"));
    await answer(register("<sip:1@192.0.2.100", { to: "<sip:bob@example.com>" }));
    await answer(register(PHONE, { to: "<sip:bob@example.org>" }));
    await answer(register(PHONE, { uri: "sip:example.org" }));
    expect(await registrar.counts()).toEqual({
      users: 1,
      bindings: 2,
      accepted: 2,
      refused: {
        "400 Bad Request": 1,
        "403 Too Many Bindings": 1,
        "404 Not Found": 1,
        "423 Interval Too Brief": 2,
      },
    });
    await server.close();
  });
});

describe("Registrar.counts", () => {
  it("counts reasons of a store's own, within a bound", async () => {
    let reason = 0;
    const update = (): never => {
      reason += 1;
      throw reason > 60 ? new Error("broken") : new Reject(480, { reason: `reason ${reason}` });
    };
    const { counts: _, ...silent } = inMemory();
    const { registrar, answer } = await setUp({ store: { ...silent, update } });
    for (let each = 0; each < 61; each += 1) await answer(register(PHONE));
    const { refused, ...rest } = await registrar.counts();
    expect(rest).toEqual({ accepted: 0 });
    expect(Object.keys(refused)).toHaveLength(51);
    expect(refused).toMatchObject({ "480 reason 50": 1, others: 11 });
  });
});
