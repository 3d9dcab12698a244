import { type Target, targetGone, targets } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import type { LocationStore } from "./location-store.ts";
import { memoryStore } from "./memory-store.ts";
import type { Registrar } from "./registrar.ts";
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

const INSTANCE = '+sip.instance="<urn:uuid:1>"';
const SUPPORTED = "Supported: path, outbound";
/** Behind another server. */
const HOP = "Via: SIP/2.0/UDP 192.0.2.111;branch=z9hG4bKhop";
const TCP = { leg: "tcp:192.0.2.1:5060" } as const;

function from(port: number, address = "192.0.2.100"): { address: string; port: number } {
  return { address, port };
}

/** A device's REGISTER for one of its flows. */
function flow(regId: string | number, port: number, more: readonly string[] = [SUPPORTED]): string {
  const contact = `<sip:alice@192.0.2.100:${port}>;reg-id=${regId};${INSTANCE}`;
  return register(contact, { callId: `flow-${port}`, lines: more });
}

describe("Registrar, how Paths are kept, RFC 3327 §5.3", () => {
  const PATH = "Path: <sip:edge.example.net;lr>";

  it("strict: refuses one whose device doesn't support it", async () => {
    const { answer, uris } = await setUp({ path: "strict" });
    const response = await answer(register(PHONE, { lines: [PATH] }));
    expect([response.status, response.headers.getAll("unsupported")]).toEqual([420, ["path"]]);
    expect(await uris()).toEqual([]);
    expect((await answer(register(PHONE, { lines: [PATH, SUPPORTED] }))).status).toBe(200);
  });

  it("off: keeps none, echoes none, and supports none", async () => {
    const { answer, registrar } = await setUp({ path: "off" });
    const response = await answer(register(PHONE, { lines: [PATH, SUPPORTED] }));
    expect([response.status, response.headers.has("path")]).toEqual([200, false]);
    const [binding] = await registrar.query(ALICE);
    expect([binding?.path, binding?.flow?.remote]).toEqual([[], "192.0.2.100:5060"]);
    const required = await answer(register(PHONE, { lines: [PATH, "Require: path"] }));
    expect(required.status).toBe(420);
  });
});

describe("Registrar, Service-Route, RFC 3608", () => {
  it("goes into each 200, in its order, and into nothing else", async () => {
    const serviceRoute = ["<sip:a.example.com;lr>", "<sip:b.example.com;lr;x=y>"];
    const { answer } = await setUp({ serviceRoute });
    for (const contact of [PHONE, PHONE, undefined]) {
      const response = await answer(register(contact));
      expect(response.headers.getAll("service-route")).toEqual(serviceRoute);
    }
    const refused = await answer(register(`${PHONE};expires=1`));
    expect([refused.status, refused.headers.has("service-route")]).toEqual([423, false]);
  });
});

describe("Registrar, flows of a device, RFC 5626 §6", () => {
  it("are known by instance and reg-id, wherever the device is", async () => {
    const { answer, uris } = await setUp();
    await answer(flow(1, 1001));
    await answer(flow(2, 1002));
    await answer(flow(1, 1003));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:1003", "sip:alice@192.0.2.100:1002"]);
    await answer(flow(2, 1009).replace(";reg-id", ";expires=0;reg-id"));
    expect(await uris()).toEqual(["sip:alice@192.0.2.100:1003"]);
  });

  it("are told to count by Require, with the time to keep them alive", async () => {
    const { answer } = await setUp({ flowTimer: 120 });
    const response = await answer(flow(1, 1001));
    expect(response.headers.getAll("require")).toEqual(["outbound"]);
    expect(response.headers.get("flow-timer")).toBe("120");
    const [contact] = contactsOf(response);
    expect(contact).toBe(`<sip:alice@192.0.2.100:1001>;reg-id=1;${INSTANCE};expires=300`);
    const plain = await answer(register(PHONE, { lines: [SUPPORTED] }));
    expect([plain.headers.has("require"), plain.headers.has("flow-timer")]).toEqual([false, false]);
  });

  it("are reached over the flow that they came by, whatever their Contact says", async () => {
    const { answer, registrar } = await setUp();
    const contact = `<sip:alice@203.0.113.9>;reg-id=1;${INSTANCE}`;
    await answer(register(contact, { lines: [SUPPORTED] }), from(40_000, "198.51.100.7"));
    expect((await registrar.query(ALICE))[0]?.flow?.remote).toBe("198.51.100.7:40000");
  });

  it("are the same URI of two devices apart", async () => {
    const { answer, uris } = await setUp();
    await answer(flow(1, 1001));
    await answer(flow(1, 1001).replace("uuid:1", "uuid:2"));
    expect(await uris()).toHaveLength(2);
  });

  it.each(["0", "x", "-1", "1.5", "2147483648", '"1 "', ""])(
    "answers reg-id=%s with 400",
    async (id) => {
      const { answer, uris } = await setUp();
      const text = id === "" ? flow("", 1).replace("reg-id=", "reg-id") : flow(id, 1);
      expect((await answer(text)).status).toBe(400);
      expect(await uris()).toEqual([]);
    },
  );

  it.each([
    ["without an instance", flow(1, 1).replace(`;${INSTANCE}`, "")],
    ["of a device that doesn't support outbound", flow(1, 1, [])],
    ["of one that doesn't, behind a hop", flow(1, 1, [HOP])],
  ])("ignores a reg-id %s", async (_case, text) => {
    const { answer, uris } = await setUp();
    const response = await answer(text);
    expect([response.status, response.headers.has("require")]).toEqual([200, false]);
    await answer(
      text.replace("CSeq: ", "CSeq: 9").replace(":1>", ":2>").replace("z9hG4bK", "z9hG4bKx"),
    );
    expect(await uris()).toHaveLength(2);
  });

  it.each([
    ["without a Path", []],
    ["with a Path that doesn't say ob", ["Path: <sip:edge.example.net;lr>"]],
    ["with ob in a hop that isn't the first", ["Path: <sip:a;lr>, <sip:b;lr;ob>"]],
  ])("answers 439 behind a first hop %s", async (_case, path) => {
    const { answer, uris, server } = await setUp();
    expect((await answer(flow(1, 1, [SUPPORTED, HOP, ...path]))).status).toBe(439);
    expect(await uris()).toEqual([]);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsThroughDeafHop: 1 });
  });

  it("takes one behind an edge proxy that keeps it, and leaves its time to that one", async () => {
    const { answer, registrar } = await setUp({ flowTimer: 120 });
    const response = await answer(flow(1, 1, [SUPPORTED, HOP, "Path: <sip:x@edge;lr;ob>"]));
    expect(response.headers.getAll("require")).toEqual(["outbound"]);
    expect(response.headers.has("flow-timer")).toBe(false);
    const [binding] = await registrar.query(ALICE);
    expect([binding?.flow, binding?.path]).toEqual([undefined, ["<sip:x@edge;lr;ob>"]]);
    const off = await setUp({ path: "off" });
    const unheard = flow(1, 1, [SUPPORTED, HOP, "Path: <sip:x@edge;lr;ob>"]);
    expect((await off.answer(unheard)).status).toBe(439);
  });

  it("stand alone in a REGISTER, removals apart", async () => {
    const { answer } = await setUp();
    const one = `<sip:a@192.0.2.100>;reg-id=1;${INSTANCE}`;
    const lines = [SUPPORTED];
    expect((await answer(register(`${one}, ${PHONE}`, { lines }))).status).toBe(400);
    expect((await answer(register(`${one}, ${PHONE};expires=0`, { lines }))).status).toBe(200);
  });

  it("may be required: whoever registers none gets a 421", async () => {
    const { answer, server } = await setUp({ outbound: "required" });
    const response = await answer(register(PHONE));
    expect([response.status, response.headers.getAll("require")]).toEqual([421, ["outbound"]]);
    expect((await answer(register(`${PHONE};expires=0`))).status).toBe(200);
    expect((await answer(flow(1, 1))).status).toBe(200);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsWithoutFlow: 1 });
  });

  it("may be off: required by a device it is refused, else nothing is seen of it", async () => {
    const { answer, uris } = await setUp({ outbound: false });
    const refused = await answer(flow(1, 1, [SUPPORTED, "Require: outbound"]));
    expect([refused.status, refused.headers.get("unsupported")]).toEqual([420, "outbound"]);
    expect((await answer(flow(0, 1))).headers.has("require")).toBe(false);
    expect((await answer(flow(0, 2, [SUPPORTED, HOP]))).status).toBe(200);
    expect(await uris()).toHaveLength(2);
  });
});

describe("Registrar, bindings of a connection that is lost, RFC 5626 §7", () => {
  const lostOf = (registrar: Registrar): string[] => {
    const lost: string[] = [];
    registrar.events.on("lost", ({ binding, addressOfRecord }) =>
      lost.push(`${addressOfRecord} ${binding.uri}`),
    );
    return lost;
  };

  it("go with it, of every user on it, and no others", async () => {
    const { answer, registrar, server, uris } = await setUp({}, TCP);
    const lost = lostOf(registrar);
    const bob = { to: "<sip:bob@example.com>" };
    await answer(register("<sip:1@192.0.2.100>", { callId: "1" }), from(1001));
    await answer(register("<sip:2@192.0.2.100>", { callId: "2" }), from(1002));
    await answer(register("<sip:3@192.0.2.100>", { callId: "3" }), from(1001));
    await answer(register("<sip:bob@192.0.2.100>", bob), from(1001));
    await server.lose(1001);
    expect(lost.toSorted()).toEqual([
      `${ALICE} sip:1@192.0.2.100`,
      `${ALICE} sip:3@192.0.2.100`,
      "sip:bob@example.com sip:bob@192.0.2.100",
    ]);
    expect(await uris()).toEqual(["sip:2@192.0.2.100"]);
    expect((await answer(request("INVITE", "sip:bob@example.com"))).status).toBe(480);
  });

  it("stay when the device has come back over another one", async () => {
    const { answer, server, uris } = await setUp({}, TCP);
    await answer(register(PHONE), from(1001));
    await answer(register(PHONE), from(1002));
    await server.lose(1001);
    expect(await uris()).toHaveLength(1);
    await server.lose(1002);
    expect(await uris()).toEqual([]);
  });

  it("are forgotten when they were removed or expired before", async () => {
    const { answer, server, registrar } = await setUp({}, TCP);
    const lost = lostOf(registrar);
    await answer(register(`${PHONE}, <sip:2@192.0.2.100>`), from(1001));
    await answer(register(`${PHONE};expires=0`), from(1001));
    await answer(
      register("<sip:bob@192.0.2.100>;expires=60", { to: "<sip:bob@example.com>" }),
      from(1001),
    );
    await server.clock.advance(61_000);
    await server.lose(1001);
    expect(lost).toEqual([`${ALICE} sip:2@192.0.2.100`]);
  });

  it("stay until their time is over, and get no request, where they are to be kept", async () => {
    const { answer, server, uris, passed } = await setUp({ onConnectionLost: "keep" }, TCP);
    await answer(register("<sip:1@192.0.2.100>", { callId: "1" }), from(1001));
    await answer(register("<sip:2@192.0.2.100>", { callId: "2" }), from(1002));
    await server.lose(1002);
    await server.ask(request("INVITE", ALICE));
    expect(passed[0]?.get(targets)?.map(({ uri }) => uri)).toEqual(["sip:1@192.0.2.100"]);
    await server.lose(1001);
    expect((await answer(request("INVITE", ALICE))).status).toBe(480);
    expect(await uris()).toHaveLength(2);
  });

  it("get no request after a restart, though the store has them still", async () => {
    const store = memoryStore();
    const first = await setUp({ store }, { ...TCP, node: "a" });
    await first.answer(register(PHONE), from(1001));
    await first.server.close();
    const again = await setUp({ store }, { ...TCP, node: "a" });
    expect((await again.answer(request("INVITE", ALICE), from(1001))).status).toBe(480);
    const other = await setUp({ store }, { ...TCP, node: "b" });
    await other.server.ask(request("INVITE", ALICE));
    expect(other.passed).toHaveLength(1);
  });

  it("go too when the connection was lost while the store took its time", async () => {
    const { server, registrar, uris } = await setUp({ store: distant() }, TCP);
    const lost = lostOf(registrar);
    const asked = server.ask(register(PHONE), { from: from(1001) });
    await server.lose(1001);
    await asked;
    for (let turn = 0; turn < 10; turn += 1) await new Promise((done) => setImmediate(done));
    expect(lost).toHaveLength(1);
    expect(await uris()).toEqual([]);
  });

  it("stay where the store fails, which is reported", async () => {
    const memory = inMemory();
    let isBroken = false;
    const update: LocationStore["update"] = (key, change) => {
      if (isBroken) throw new Error("disk full");
      return memory.update(key, change);
    };
    const { answer, server, uris } = await setUp({ store: { ...memory, update } }, TCP);
    await answer(register(PHONE), from(1001));
    isBroken = true;
    await server.lose(1001);
    expect(server.errors.map(({ code }) => code)).toEqual(["SIP_STORE"]);
    expect(await uris()).toHaveLength(1);
  });

  it("stay in the store when the server closes", async () => {
    const store = memoryStore();
    const { answer, server } = await setUp({ store }, TCP);
    await answer(register(PHONE), from(1001));
    await server.close();
    await server.lose(1001);
    expect(store.bindings).toBe(1);
  });
});

describe("Registrar, a target that turns out to be gone, RFC 5626 §7", () => {
  const look = async (
    text: string,
  ): Promise<{
    gone: (target?: Partial<Target>) => void;
    uris: () => Promise<readonly string[]>;
  }> => {
    const { answer, server, passed, uris } = await setUp();
    await answer(text);
    await server.ask(request("INVITE", ALICE));
    const [target] = passed[0]?.need(targets) ?? [];
    return {
      gone: (changed) => passed[0]?.need(targetGone)({ ...(target as Target), ...changed }),
      uris,
    };
  };

  it("is removed when it is a flow of an edge proxy's", async () => {
    const { gone, uris } = await look(flow(1, 1, [SUPPORTED, HOP, "Path: <sip:x@edge;lr;ob>"]));
    gone({ route: ["<sip:y@edge;lr;ob>"] });
    expect(await uris()).toHaveLength(1);
    gone();
    expect(await uris()).toEqual([]);
  });

  it("stays when it is no flow: the 430 is from somewhere behind it", async () => {
    const { gone, uris } = await look(register(PHONE, { lines: ["Path: <sip:x@edge;lr>"] }));
    gone();
    expect(await uris()).toHaveLength(1);
  });
});
