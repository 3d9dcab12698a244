import {
  contact,
  type DialogRoute,
  dialogRoute,
  onRequest,
  type Request,
  targets,
} from "@sipkit/core";
import { SeededRandom, TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { Gruus, hasGr } from "./gruu.ts";
import { Registrar } from "./registrar.ts";
import { ALICE, register, request, setUp } from "./test-kit/registrar-kit.ts";

const GRUU = { lines: ["Supported: gruu"] };
const DESK = '<sip:desk@192.0.2.100>;+sip.instance="<urn:uuid:1>"';
const MOBILE = '<sip:mobile@192.0.2.100>;+sip.instance="<urn:uuid:2>"';
const PUBLIC = "sip:alice@example.com;gr=urn:uuid:1";

type Setup = Awaited<ReturnType<typeof setUp>>;

/** The GRUUs of the first Contact in the 200 to a REGISTER. */
async function gruusOf(
  { answer }: Setup,
  text: string,
): Promise<{ lasting: string | undefined; temporary: string }> {
  const response = await answer(text);
  expect(response.status).toBe(200);
  const value = response.headers.read(contact);
  if (value === undefined || value === "*") throw new Error("no Contact");
  const { params } = value;
  return { lasting: params.get("pub-gruu"), temporary: params.get("temp-gruu") ?? "" };
}

async function reached(
  { server, passed }: Setup,
  uri: string,
): Promise<number | readonly string[]> {
  const before = passed.length;
  const { sent } = await server.ask(request("INVITE", uri));
  const found = passed[before]?.get(targets)?.map((target) => target.uri);
  const [answer] = sent;
  return found ?? (answer !== undefined && !answer.isRequest ? answer.status : 0);
}

describe("Registrar and GRUUs, RFC 5627 §5", () => {
  it("gives them to a device that supports them and has an instance, and to no other", async () => {
    const setup = await setUp();
    const { lasting, temporary } = await gruusOf(setup, register(DESK, GRUU));
    expect(lasting).toBe(PUBLIC);
    expect(temporary).toMatch(/^sip:tgruu\.[\w-]+@example\.com;gr$/);
    for (const text of [
      register(DESK),
      register("<sip:desk@192.0.2.100>", { ...GRUU, to: "<sip:bob@example.com>" }),
    ]) {
      expect(await gruusOf(setup, text)).toEqual({ lasting: undefined, temporary: "" });
    }
    const off = await setUp({ gruu: false });
    expect((await gruusOf(off, register(DESK, GRUU))).lasting).toBeUndefined();
    expect((await off.answer(register(DESK, { lines: ["Require: gruu"] }))).status).toBe(420);
  });

  it("listens to nobody who suggests some", async () => {
    const setup = await setUp();
    const suggested = `${DESK};pub-gruu="sip:bob@example.com;gr=1";Temp-Gruu="sip:x@example.com;gr"`;
    expect((await gruusOf(setup, register(suggested, GRUU))).lasting).toBe(PUBLIC);
    const [binding] = await setup.registrar.query(ALICE);
    expect(binding?.params).toBe(';+sip.instance="<urn:uuid:1>"');
  });

  it("leads from a public one to that device alone", async () => {
    const setup = await setUp();
    await setup.answer(register(DESK, { callId: "1" }));
    await setup.answer(register(MOBILE, { callId: "2" }));
    expect(await reached(setup, PUBLIC)).toEqual(["sip:desk@192.0.2.100"]);
    expect(await reached(setup, "sip:alice@EXAMPLE.com;x=y;Gr=urn:uuid:2;lr")).toEqual([
      "sip:mobile@192.0.2.100",
    ]);
    expect(await reached(setup, ALICE)).toHaveLength(2);
  });

  it("answers 480 for a device of a user that isn't there, 404 for a user who doesn't exist", async () => {
    const setup = await setUp();
    await setup.answer(register(MOBILE));
    expect(await reached(setup, PUBLIC)).toBe(480);
    expect(await reached(setup, "sip:bob@example.com;gr=urn:uuid:1")).toBe(404);
    await setup.answer(register(MOBILE, { to: "<sip:al;gr=ice@example.com>" }));
    expect(await reached(setup, "sip:al;gr=ice@example.com")).toEqual(["sip:mobile@192.0.2.100"]);
  });

  it("leads from each temporary one to that device, as long as its Call-ID lasts", async () => {
    const setup = await setUp();
    await setup.answer(register(MOBILE, { callId: "2" }));
    const first = await gruusOf(setup, register(DESK, { ...GRUU, callId: "1" }));
    const second = await gruusOf(setup, register(DESK, { ...GRUU, callId: "1" }));
    expect(second.temporary).not.toBe(first.temporary);
    for (const { temporary } of [first, second]) {
      expect(await reached(setup, temporary)).toEqual(["sip:desk@192.0.2.100"]);
    }
    await gruusOf(setup, register(DESK, { ...GRUU, callId: "3" }));
    expect(await reached(setup, first.temporary)).toBe(404);
    expect(await reached(setup, PUBLIC)).toEqual(["sip:desk@192.0.2.100"]);
  });

  it("ends temporary ones with the device's last binding", async () => {
    const setup = await setUp();
    const { temporary } = await gruusOf(setup, register(DESK, GRUU));
    await setup.answer(register(`${DESK};expires=0`));
    expect(await reached(setup, temporary)).toBe(404);
  });

  it("answers 404 to what was never given out", async () => {
    const setup = await setUp();
    const { temporary } = await gruusOf(setup, register(DESK, GRUU));
    const other = await gruusOf(await setUp(), register(DESK, GRUU));
    const at = temporary.indexOf("@") - 30;
    const changed = `${temporary.slice(0, at)}${temporary[at] === "A" ? "B" : "A"}${temporary.slice(at + 1)}`;
    for (const forged of [
      changed,
      temporary.replace("tgruu.", "tgruu.AAAA"),
      "sip:tgruu.@example.com;gr",
      `sip:tgruu.${"A".repeat(38)}@example.com;gr`,
      "sip:alice@example.com;gr",
      other.temporary,
    ]) {
      expect(await reached(setup, forged), forged).toBe(404);
    }
  });

  it("keeps temporary ones for the next life and other nodes by a secret", async () => {
    const gruu = { secret: "one for all" };
    const { temporary } = await gruusOf(
      await setUp({ gruu }),
      register(DESK, { ...GRUU, callId: "1" }),
    );
    const again = await setUp({ gruu }, { random: new SeededRandom(7) });
    await again.answer(register(DESK, { callId: "1" }));
    expect(await reached(again, temporary)).toEqual(["sip:desk@192.0.2.100"]);
  });

  it("knows temporary ones of the other secrets of a ring again, and makes none with them", async () => {
    const live = register(DESK, { ...GRUU, callId: "1" });
    const before = await setUp({ gruu: { secret: "old" } });
    const rotated = await setUp({ gruu: { secret: ["new", "old"] } });
    const { temporary } = await gruusOf(before, live);
    const { temporary: next } = await gruusOf(rotated, live);
    expect(await reached(rotated, temporary)).toEqual(["sip:desk@192.0.2.100"]);
    expect(await reached(rotated, next)).toEqual(["sip:desk@192.0.2.100"]);
    expect(await reached(before, next)).toBe(404);
    expect(() => new Registrar({ gruu: { secret: [] } })).toThrow(/secret must not be empty/);
  });
});

describe("Registrar, requests within a dialog to a GRUU, RFC 5627 §6.1", () => {
  const start = async (): Promise<{ server: TestServer; seen: Request[] }> => {
    const seen: Request[] = [];
    const old: DialogRoute = { side: "b", flow: undefined };
    const server = await TestServer.start([
      onRequest(["BYE", "ACK"], (request) => {
        request.set(dialogRoute, old);
      }),
      new Registrar(),
      onRequest("*", (request) => {
        seen.push(request);
        return request.method === "ACK" ? "drop" : request.createResponse(499);
      }),
    ]);
    return { server, seen };
  };

  it.each(["BYE", "ACK"])("sends a %s to where the device is now", async (method) => {
    const { server, seen } = await start();
    await server.ask(register(DESK), { from: { port: 1234 } });
    await server.ask(request(method, PUBLIC));
    expect(seen[0]?.uri).toBe("sip:desk@192.0.2.100");
    const now = seen[0]?.need(dialogRoute);
    expect([now?.side, now?.flow?.remote]).toEqual(["b", "192.0.2.100:1234"]);
  });

  it("puts the device's Path on as Routes", async () => {
    const { server, seen } = await start();
    await server.ask(register(DESK, { lines: ["Path: <sip:a;lr>, <sip:b;lr>"] }));
    await server.ask(request("BYE", PUBLIC));
    expect(seen[0]?.headers.getAll("route")).toEqual(["<sip:a;lr>", "<sip:b;lr>"]);
  });

  it("leaves alone what has more Routes, no GRUU, or a device that isn't there", async () => {
    const { server, seen } = await start();
    await server.ask(request("BYE", PUBLIC));
    await server.ask(register(DESK));
    await server.ask(request("BYE", "sip:alice@example.com"));
    await server.ask(`${request("BYE", PUBLIC)}\r\nRoute: <sip:other.example.net;lr>`);
    await server.ask(request("BYE", "sip:alice@example.com;gr"));
    expect(seen.map(({ uri }) => uri)).toEqual([PUBLIC, ALICE, PUBLIC, "sip:alice@example.com;gr"]);
    for (const bye of seen) expect(bye.get(dialogRoute)?.flow).toBeUndefined();
  });
});

describe("Gruus", () => {
  const gruus = new Gruus(["secret"], new SeededRandom(1));

  it("writes and reads whomever, and hides who it is", async () => {
    const { parseSipUri } = await import("@sipkit/core");
    const instances = ["<urn:uuid:1>", "<a b;c@d?e=f%>", "<J\u00f6rg>", "<>"];
    for (const user of ["alice", "a@b", "J\u00f6rg;x", "%00", "#"]) {
      const owner = `sip:${user}@example.com`;
      for (const instance of instances) {
        const lasting = parseSipUri(gruus.publicOf(owner, instance));
        if (instance !== "<>") {
          expect(gruus.ownerOf(lasting, owner)).toEqual({
            addressOfRecord: owner,
            instance,
            call: undefined,
          });
        }
        const text = gruus.temporaryOf(owner, instance, "call");
        expect(text).not.toContain(user.slice(1) || "#");
        expect(gruus.ownerOf(parseSipUri(text), "")).toMatchObject({
          addressOfRecord: owner,
          instance,
        });
      }
    }
  });

  it("gives temporary ones of one length to users and devices of different lengths", () => {
    const lengths = ["sip:a@example.com", "sip:abcdefgh@example.com"].map(
      (owner) => gruus.temporaryOf(owner, "<urn:uuid:1>", "call").length,
    );
    expect(lengths[0]).toBe(lengths[1]);
  });

  it.each([
    ["sip:a@h;gr", true],
    ["sip:a@h;GR=x;lr", true],
    ["sip:a@h;gr?x=y", true],
    ["sip:a@h;grid=x", false],
    ["sip:a;gr=x@h", true],
    ["sip:a@h", false],
  ])("looks at %s twice: %s", (uri, expected) => expect(hasGr(uri)).toBe(expected));
});
