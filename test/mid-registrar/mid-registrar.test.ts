import { describe, expect, it } from "vitest";
import { authorize, type Phone, Site } from "./site.ts";

const expiresOf = (contacts: readonly string[]): readonly (string | undefined)[] =>
  contacts.map((contact) => /expires=(\d+)/.exec(contact)?.[1]);

describe("MidRegistrar", () => {
  it("has the upstream ask for credentials, and registers a Contact of its own there for long", async () => {
    const site = await Site.start();
    const alice = await site.phone("alice");
    const stranger = await alice.register({ isStranger: true });
    expect(stranger.status).toBe(401);
    expect(stranger.headers.get("www-authenticate")).toContain('realm="example.com"');
    expect(await site.midUris("alice")).toEqual([]);

    const response = await alice.register();
    expect(response.status).toBe(200);
    expect(response.headers.getAll("contact")).toEqual([`<${alice.uri}>;expires=60`]);
    expect(await site.midUris("alice")).toEqual([alice.uri]);
    const [uri = ""] = await site.upstreamUris("alice");
    expect(uri).toMatch(/^sip:mid\.[\w-]{40,}@192\.0\.2\.\d+:5060$/);
    expect(uri).not.toContain("alice");
    const sent = site.upstreamRequests("REGISTER").at(-1);
    expect(sent?.headers.get("expires")).toBe("3600");
    expect(expiresOf(sent?.headers.getAll("contact") ?? [])).toEqual(["3600"]);
    expect([
      site.counted("registrationsForwarded"),
      site.counted("registrationsChallengedUpstream"),
    ]).toEqual([3, 2]);
    await site.net.run("40s");
    site.net.expectIdle();
  });

  it("absorbs more than nine of ten REGISTERs over an hour", { timeout: 30_000 }, async () => {
    const site = await Site.start({ mid: { outgoingJitter: 0.1 } });
    const phones: Phone[] = [];
    for (let n = 0; n < 3; n += 1) phones.push(await site.phone(`user${n}`));
    const rounds = 72;
    const statuses: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const responses = await site.net.until(Promise.all(phones.map((phone) => phone.send())));
      statuses.push(...responses.map(({ status }) => status));
      await site.net.run("50s");
    }
    expect(statuses).toEqual(statuses.map(() => 200));
    const absorbed = site.counted("registrationsAbsorbed");
    expect(absorbed / statuses.length).toBeGreaterThan(0.9);
    // What isn't absorbed is the first time, and one more within the hour, each with a challenge.
    expect(site.upstreamRegisters).toBeLessThanOrEqual(4 * phones.length);
    for (let n = 0; n < 3; n += 1) expect(await site.upstreamUris(`user${n}`)).toHaveLength(1);
  });

  it("brings a call from the upstream to the phone, and a call of a phone's to the upstream", async () => {
    const site = await Site.start();
    const [alice, bob] = [await site.phone("alice"), await site.phone("bob")];
    await alice.register();
    const response = await bob.call("sip:alice@example.com");
    expect(response.status).toBe(200);
    const [invite] = alice.got;
    expect(invite?.uri).toBe(alice.uri);
    // From mid to upstream, with a challenge answered, and from there back.
    expect(site.upstreamRequests("INVITE")).toHaveLength(2);
    expect(site.net.messages({ from: "upstream", to: "mid", method: "INVITE" })).toHaveLength(1);
    // Nobody who knows the name alone gets past the upstream.
    expect((await bob.call("sip:alice@example.com", { isStranger: true })).status).toBe(407);
  });

  it("reaches each of two phones by a Contact of its own", async () => {
    const site = await Site.start();
    const [desk, mobile] = [await site.phone("alice", "desk"), await site.phone("alice", "mobile")];
    await desk.register({ params: ";q=0.5" });
    await mobile.register();
    expect(await site.upstreamUris("alice")).toHaveLength(2);
    const [first = ""] = await site.upstreamUris("alice");
    const caller = await site.phone("bob");
    await caller.call(first);
    expect([desk.got.length, mobile.got.length].toSorted()).toEqual([0, 1]);
  });

  it("takes a phone's removal there", async () => {
    const site = await Site.start();
    const [desk, mobile] = [await site.phone("alice", "desk"), await site.phone("alice", "mobile")];
    await desk.register();
    await mobile.register();
    expect((await desk.register({ expires: 0 })).status).toBe(200);
    expect(await site.upstreamUris("alice")).toHaveLength(1);
    expect(await site.midUris("alice")).toEqual([mobile.uri]);
    expect((await mobile.register({ expires: 0, contact: "*" })).status).toBe(200);
    expect(await site.upstreamUris("alice")).toEqual([]);
    expect(await site.midUris("alice")).toEqual([]);
  });

  it("keeps nothing that the upstream refuses", async () => {
    const site = await Site.start({ upstream: { maxBindings: 1 } });
    const [desk, mobile] = [await site.phone("alice", "desk"), await site.phone("alice", "mobile")];
    await desk.register();
    const response = await mobile.register();
    expect([response.status, response.reason]).toEqual([403, "Too Many Bindings"]);
    expect(await site.midUris("alice")).toEqual([desk.uri]);
    expect(site.counted("registrationsRefusedUpstream")).toBe(1);
  });

  it("refuses what is over its own bounds before anybody is asked", async () => {
    const site = await Site.start({ mid: { maxBindings: 1 } });
    const [desk, mobile] = [await site.phone("alice", "desk"), await site.phone("alice", "mobile")];
    await desk.register();
    const before = site.upstreamRegisters;
    expect((await mobile.register()).status).toBe(403);
    expect(site.upstreamRegisters).toBe(before);
  });

  it("grants no more than the upstream does", async () => {
    const site = await Site.start({ upstream: { minExpires: 1, maxExpires: 20 } });
    const alice = await site.phone("alice");
    const response = await alice.register();
    expect(response.headers.getAll("contact")).toEqual([`<${alice.uri}>;expires=20`]);
    await alice.register();
    expect(site.counted("registrationsAbsorbed")).toBe(0);
  });

  it("asks for what the upstream wants at least, once it has said so", async () => {
    const site = await Site.start({
      mid: { outgoingExpires: 100 },
      upstream: { minExpires: 500 },
    });
    const alice = await site.phone("alice");
    const response = await alice.register();
    expect([response.status, response.headers.get("min-expires")]).toEqual([423, "500"]);
    expect((await alice.register({ expires: 500 })).status).toBe(200);
    expect(site.upstreamRequests("REGISTER").at(-1)?.headers.get("expires")).toBe("500");
  });

  it("forgets with its life what was granted, and asks again", async () => {
    const store = (await import("@sipkit/registrar")).memoryStore();
    const site = await Site.start({ mid: { store, secret: "s" } });
    const alice = await site.phone("alice");
    await alice.register();
    const before = await site.upstreamUris("alice");
    await site.net.until(site.mid.restart());
    expect(await site.midUris("alice")).toEqual([alice.uri]);
    expect((await alice.register()).status).toBe(200);
    expect(site.counted("registrationsForwarded")).toBeGreaterThan(0);
    expect(await site.upstreamUris("alice")).toEqual(before);
    await alice.register();
    expect(site.counted("registrationsAbsorbed")).toBe(1);
    const bob = await site.phone("bob");
    expect((await bob.call("sip:alice@example.com")).status).toBe(200);
  });
});

describe("MidRegistrar without proof of its own", () => {
  it("has the upstream decide about whoever isn't the one that it accepted", async () => {
    const site = await Site.start();
    const [alice, thief] = [await site.phone("alice"), await site.phone("alice", "thief")];
    await alice.register();
    const quiet = { isStranger: true };
    // The same Contact from elsewhere, by another Call-ID, with other parameters; its removal; a look at it.
    const contact = alice.uri;
    expect((await thief.register({ ...quiet, contact, callId: "alice", cseq: 100 })).status).toBe(
      401,
    );
    expect((await alice.register({ ...quiet, callId: "guessed" })).status).toBe(401);
    expect((await alice.register({ ...quiet, params: ";q=0.1" })).status).toBe(401);
    expect((await thief.register({ ...quiet, contact, expires: 0 })).status).toBe(401);
    expect((await thief.register({ ...quiet, contact: "*", expires: 0 })).status).toBe(401);
    expect(
      (await thief.register({ ...quiet, contact: "sip:x@192.0.2.99", expires: 0 })).status,
    ).toBe(401);
    expect((await thief.fetch(quiet)).status).toBe(401);
    expect(await site.midUris("alice")).toEqual([alice.uri]);
    // And what changes nothing passes without it.
    expect((await alice.register(quiet)).status).toBe(200);
    expect(site.counted("registrationsAbsorbed")).toBe(1);
    const own = await alice.fetch();
    expect(own.headers.getAll("contact")).toEqual([`<${alice.uri}>;expires=60`]);
  });

  it("takes nobody for a Contact of its own who can't have one", async () => {
    const site = await Site.start();
    const alice = await site.phone("alice");
    await alice.register();
    const [uri = ""] = await site.upstreamUris("alice");
    const forged = uri.replace(/(.)@/, (_, last: string) => `${last === "A" ? "B" : "A"}@`);
    const bob = await site.phone("bob");
    expect((await bob.call(forged)).status).toBe(404);
    expect((await bob.call(uri)).status).toBe(200);
    await site.net.run("61s");
    expect((await bob.call(uri)).status).toBe(480);
  });
});

describe("MidRegistrar behind an authenticator", () => {
  it("answers what the upstream knows already, by whatever way it comes", async () => {
    const site = await Site.start({ before: [authorize()], isOpen: true });
    const alice = await site.phone("alice");
    await alice.register();
    await alice.register({ callId: "after-a-restart" });
    expect(site.counted("registrationsAbsorbed")).toBe(1);
    expect((await alice.fetch()).status).toBe(200);
    expect(site.upstreamRegisters).toBe(1);
    await alice.register({ params: ";q=0.3" });
    expect(site.upstreamRegisters).toBe(2);
  });

  it("keeps a phone that was lost and comes back from the upstream", async () => {
    const site = await Site.start({ before: [authorize()], isOpen: true });
    const alice = await site.phone("alice");
    await alice.register();
    await site.net.run("90s");
    expect(await site.midUris("alice")).toEqual([]);
    await alice.register();
    expect(await site.midUris("alice")).toEqual([alice.uri]);
    expect(site.upstreamRegisters).toBe(1);
  });
});

describe("MidRegistrar with one Contact for all devices", () => {
  it("tells the upstream of a user, and forks to her devices itself", async () => {
    const site = await Site.start({ mid: { mode: "aor" }, before: [authorize()], isOpen: true });
    const [desk, mobile] = [await site.phone("alice", "desk"), await site.phone("alice", "mobile")];
    await desk.register();
    await mobile.register();
    expect(site.upstreamRegisters).toBe(1);
    expect(await site.upstreamUris("alice")).toHaveLength(1);
    const [uri = ""] = await site.upstreamUris("alice");
    const bob = await site.phone("bob");
    expect((await bob.call(uri)).status).toBe(200);
    expect([desk.got[0]?.uri, mobile.got[0]?.uri]).toEqual([desk.uri, mobile.uri]);
    await desk.register({ expires: 0 });
    expect(site.upstreamRegisters).toBe(1);
    await mobile.register({ expires: 0 });
    expect(await site.upstreamUris("alice")).toEqual([]);
  });

  it("has the upstream ask each device for credentials, where nobody else does", async () => {
    const site = await Site.start({ mid: { mode: "aor" } });
    const [desk, mobile] = [await site.phone("alice", "desk"), await site.phone("alice", "mobile")];
    await desk.register();
    expect((await mobile.register({ isStranger: true })).status).toBe(401);
    expect((await mobile.register()).status).toBe(200);
    expect((await desk.register({ isStranger: true, expires: 0 })).status).toBe(401);
    expect((await desk.register({ expires: 0 })).status).toBe(200);
    expect(await site.upstreamUris("alice")).toHaveLength(1);
    expect(await site.midUris("alice")).toEqual([mobile.uri]);
  });
});

describe("MidRegistrar that mirrors", () => {
  it("tells the upstream of everything, for as long as the phone asks", async () => {
    const site = await Site.start({ mid: { mode: "mirror" }, isOpen: true });
    const alice = await site.phone("alice");
    for (let n = 0; n < 3; n += 1) await alice.register();
    expect(site.upstreamRegisters).toBe(3);
    expect(site.upstreamRequests("REGISTER")[0]?.headers.get("expires")).toBe("60");
    expect(site.counted("registrationsAbsorbed")).toBe(0);
  });
});

describe("MidRegistrar that puts a Path on", () => {
  it("leaves Contacts as they are, and gets the calls by its Path", async () => {
    const site = await Site.start({ mid: { insert: "path" } });
    const [alice, bob] = [await site.phone("alice"), await site.phone("bob")];
    await alice.register();
    expect(await site.upstreamUris("alice")).toEqual([alice.uri]);
    const [binding] = await site.upstream.app.registrar.query("sip:alice@example.com");
    expect(binding?.path).toHaveLength(1);
    await alice.register();
    expect(site.counted("registrationsAbsorbed")).toBe(1);
    expect((await bob.call("sip:alice@example.com")).status).toBe(200);
    expect(alice.got[0]?.uri).toBe(alice.uri);
  });

  it("tells the upstream of a phone that sends from elsewhere, though it is proved here", async () => {
    const site = await Site.start({
      mid: { insert: "path" },
      before: [authorize()],
      isOpen: true,
    });
    const [alice, moved] = [await site.phone("alice"), await site.phone("alice", "moved")];
    await alice.register();
    await alice.register();
    expect(site.upstreamRegisters).toBe(1);
    const contact = `${alice.uri.replace(/@.*/, "")}@alice.invalid`;
    await alice.register({ contact });
    await moved.register({ contact });
    expect(site.upstreamRegisters).toBe(3);
  });
});
