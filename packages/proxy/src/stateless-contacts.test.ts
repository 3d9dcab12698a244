import { contact, type HeadersInit, parseSipUri, Request, type Server } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { StatelessContacts } from "./stateless-contacts.ts";
import { StatelessProxy, type StatelessProxyOptions } from "./stateless-proxy.ts";
import { Dialog } from "./test-kit/dialog.ts";
import type { Phone } from "./test-kit/phone.ts";
import { Scene } from "./test-kit/scene.ts";

const OUTSIDE = "192.0.2.1";
const INSIDE = "198.51.100.1";

interface Stage {
  readonly scene: Scene;
  readonly alice: Phone;
  readonly bob: Phone;
}

/** A proxy between two networks: alice is outside, bob inside. */
async function start(options: StatelessProxyOptions = { rewriteContact: true }): Promise<Stage> {
  const proxy = new StatelessProxy({ recordRoute: false, ...options });
  const scene = await Scene.start({ proxy, addresses: [OUTSIDE, INSIDE] });
  const alice = await scene.phone("alice");
  const bob = await scene.phone("bob", "udp", "198.51.100.10");
  const headers = { To: "<sip:bob@example.com>" };
  bob.send("REGISTER", "sip:example.com", headers, INSIDE);
  await scene.advance(20);
  bob.answer = (request) => bob.respond(request, 200);
  return { scene, alice, bob };
}

function contactOf(message: Request | Parameters<typeof Dialog.ofCaller>[1]): string {
  const value = message.headers.read(contact);
  return value === undefined || value === "*" ? "" : value.uri;
}

describe("StatelessProxy, rewriteContact", () => {
  it("shows neither side the other's address, and brings what is sent to its Contact where it belongs", async () => {
    // Net::SIP's t/05: a call through two legs, and the requests within it.
    const { scene, alice, bob } = await start();
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(50);
    expect(call.statuses).toEqual([200]);
    const invite = bob.got("INVITE");
    expect(contactOf(invite)).toMatch(/^sip:rc\.[A-Za-z0-9_-]+@198\.51\.100\.1:5060$/);
    expect(contactOf(call.last)).toMatch(/^sip:rc\.[A-Za-z0-9_-]+@192\.0\.2\.1:5060$/);
    expect(contactOf(call.last)).not.toContain("bob");
    // The ACK to a 2xx goes to the Contact, too.
    expect(bob.methods).toEqual(["INVITE", "ACK"]);
    expect(bob.got("ACK").uri).toBe(bob.contact);

    const info = alice.sendAs(Dialog.ofCaller(call.request, call.last).request("INFO"));
    const bye = bob.sendAs(Dialog.ofCallee(invite, call.last).request("BYE"));
    await scene.advance(50);
    expect([info.statuses, bye.statuses]).toEqual([[200], [200]]);
    expect(bob.got("INFO").uri).toBe(bob.contact);
    expect(alice.got("BYE").uri).toBe(alice.contact);
    const bySide = scene.network.log
      .filter(({ wire }) => /^(INFO|BYE) /.test(wire))
      .map(({ from, to }) => `${from} ${to}`);
    expect(bySide).toEqual([
      `192.0.2.10:5060 ${OUTSIDE}:5060`,
      `198.51.100.10:5060 ${INSIDE}:5060`,
      `${INSIDE}:5060 198.51.100.10:5060`,
      `${OUTSIDE}:5060 192.0.2.10:5060`,
    ]);
    expect(scene.errors).toEqual([]);
  });

  it("goes together with Record-Route", async () => {
    const { scene, alice, bob } = await start({ rewriteContact: true, recordRoute: true });
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(50);
    const invite = bob.got("INVITE");
    const info = alice.sendAs(Dialog.ofCaller(call.request, call.last).request("INFO"));
    const bye = bob.sendAs(Dialog.ofCallee(invite, call.last).request("BYE"));
    await scene.advance(50);
    expect([call.statuses, info.statuses, bye.statuses]).toEqual([[200], [200], [200]]);
    expect([bob.got("INFO").uri, alice.got("BYE").uri]).toEqual([bob.contact, alice.contact]);
  });

  it("leaves Contacts alone where both sides are on one leg, unless it is told otherwise", async () => {
    for (const [rewriteContact, rewritten] of [
      [true, false],
      ["always", true],
    ] as const) {
      const { scene, alice } = await start({ rewriteContact });
      const carol = await scene.phone("carol");
      await carol.register();
      carol.answer = (request) => carol.respond(request, 200);
      const call = alice.send("INVITE", "sip:carol@example.com");
      await scene.advance(50);
      expect(contactOf(carol.got("INVITE")) !== alice.contact).toBe(rewritten);
      expect(contactOf(call.last) !== carol.contact).toBe(rewritten);
      expect(carol.methods).toEqual(["INVITE", "ACK"]);
    }
  });

  it("answers 403 to one that it did not make, or gave to the other side", async () => {
    const { scene, alice, bob } = await start();
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(50);
    const given = contactOf(call.last);
    const { user = "" } = parseSipUri(given);
    const changed = given.replace(user, `${user.slice(0, -2)}${user.endsWith("AA") ? "BB" : "AA"}`);
    const madeUp = given.replace(user, `rc.${"A".repeat(40)}`);
    const long = given.replace(user, `rc.${"A".repeat(1500)}`);
    const sent = [changed, madeUp, long].map((uri) => alice.send("OPTIONS", uri));
    sent.push(bob.send("OPTIONS", given.replace(OUTSIDE, INSIDE), {}, INSIDE));
    await scene.advance(50);
    expect(sent.map(({ statuses }) => statuses)).toEqual([[403], [403], [403], [403]]);
    expect(scene.server.counters()).toMatchObject({ forgedContacts: 4 });
    expect(bob.methods).toEqual(["INVITE", "ACK"]);
    // A name that only begins so is a user whom nobody knows.
    const short = alice.send("OPTIONS", "sip:rc.smith@example.com");
    await scene.advance(50);
    expect(short.statuses).toEqual([404]);
    expect(scene.errors).toEqual([]);
  });

  it("takes its own Contacts of another life where the secret is the same, and no others", async () => {
    const { scene, alice, bob } = await start({ rewriteContact: true, secret: "the same" });
    const call = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(50);
    const given = contactOf(call.last);
    await scene.server.close();
    for (const [secret, statuses] of [
      ["another", [403]],
      ["the same", [200]],
    ] as const) {
      const proxy = new StatelessProxy({ rewriteContact: true, secret });
      const next = scene.dispatcher([OUTSIDE, INSIDE], "example.com", [proxy]);
      await next.listen();
      const info = alice.send("OPTIONS", given);
      await scene.advance(50);
      expect(info.statuses).toEqual(statuses);
      await next.close();
    }
    expect(bob.methods.at(-1)).toBe("OPTIONS");
  });
});

describe("StatelessContacts", () => {
  const outside = { protocol: "udp", address: OUTSIDE, port: 5060, sentBy: OUTSIDE } as const;
  const inside = {
    protocol: "tls",
    address: INSIDE,
    port: 5061,
    sentBy: "sip.example.com",
  } as const;
  const counted: string[] = [];
  const server = {
    legs: [outside, inside],
    isLocal: (uri: string) => /@(192\.0\.2\.1|sip\.example\.com)/.test(uri),
    count: (name: string) => counted.push(name),
  } as unknown as Server;
  const contacts = new StatelessContacts(server, "secret", false);

  function rewritten(values: string | readonly string[], back = false): readonly string[] {
    const headers: HeadersInit = { Contact: values };
    const message = new Request("REGISTER", "sip:example.com", { headers });
    contacts.rewrite(message, back ? inside : outside, back ? outside : inside);
    return message.headers.getAll("contact");
  }

  it("gives the same URI for the same Contact, and back what was given", () => {
    const written = ['"Alice, at home" <sip:alice@192.0.2.10:5060;ob?a=b>;expires=60;q=0.5'];
    const [first = ""] = rewritten(written);
    expect(rewritten(written)).toEqual([first]);
    expect(first).toMatch(
      /^"Alice, at home" <sip:rc\.[A-Za-z0-9_-]{60,120}@sip\.example\.com;transport=tls>;expires=60;q=0\.5$/,
    );
    // The 200 to its REGISTER lists it.
    expect(rewritten([first], true)).toEqual(written);
    // It says nothing to the side that has it.
    expect(rewritten([first])).toEqual([first]);
  });

  it("keeps scheme and transport", () => {
    expect(rewritten("<sips:alice@192.0.2.10>")[0]).toMatch(/^<sips:rc\./);
    const message = new Request("INVITE", "sip:x", { headers: { Contact: "<sip:b@10.0.0.1>" } });
    contacts.rewrite(message, inside, outside);
    expect(message.headers.get("contact")).toMatch(/^<sip:rc\.[^@]*@192\.0\.2\.1>$/);
  });

  it.each<readonly [string, string | readonly string[], number]>([
    ["all Contacts", "*", 0],
    ["another scheme", "<tel:+15551234>", 0],
    ["one that is too long", `<sip:${"a".repeat(600)}@192.0.2.10>`, 1],
    ["one that is malformed", "<sip:alice@192.0.2.10", 1],
    ["more than 16", Array.from({ length: 17 }, (_, n) => `<sip:${n}@192.0.2.10>`), 1],
  ])("leaves alone: %s", (_what, values, times) => {
    counted.length = 0;
    expect(rewritten(values)).toEqual([values].flat());
    expect(counted).toEqual(Array.from({ length: times }, () => "contactsNotRewritten"));
  });

  it("opens none with any bit of it changed", () => {
    const [value = ""] = rewritten("<sip:alice@192.0.2.10>");
    const uri = value.slice(1, -1);
    expect(contacts.open(uri, inside)).toEqual({ uri: "sip:alice@192.0.2.10", leg: outside });
    expect(contacts.open(uri, outside)).toBe("forged");
    const { user = "" } = parseSipUri(uri);
    const bytes = Buffer.from(user.slice(3), "base64url");
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const forged = uri.replace(user, `rc.${changed.toString("base64url")}`);
      expect(contacts.open(forged, inside)).toBe("forged");
    }
  });
});
