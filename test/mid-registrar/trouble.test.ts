import { DigestClient } from "@sipkit/auth";
import { describe, expect, it } from "vitest";
import { authorize, type Phone, Site } from "./site.ts";

/** A site whose upstream takes the word of its mid-registrar, and a phone of alice's. */
async function trusting(
  mid: Parameters<typeof Site.start>[0] = {},
): Promise<readonly [site: Site, alice: Phone]> {
  const site = await Site.start({ before: [authorize()], isOpen: true, ...mid });
  return [site, await site.phone("alice")];
}

describe("MidRegistrar while the upstream is down", () => {
  it("answers 503 to what is new, and goes on with refreshes", async () => {
    const [site, alice] = await trusting({ mid: { outgoingExpires: 120 } });
    await alice.register();
    site.upstream.crash();
    const bob = await site.phone("bob");
    const refused = await bob.register();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
    expect(await site.midUris("bob")).toEqual([]);
    expect((await bob.register()).status).toBe(503);
    expect((await bob.register()).status).toBe(503);
    // It isn't asked again at once.
    const sent = site.upstreamRegisters;
    expect((await bob.register()).status).toBe(503);
    expect(site.upstreamRegisters).toBe(sent);

    for (let n = 0; n < 5; n += 1) {
      expect((await alice.register()).status).toBe(200);
      await site.net.run("40s");
    }
    expect(await site.midUris("alice")).toEqual([alice.uri]);
    expect(site.counted("registrationsKeptWhileDown")).toBeGreaterThan(2);
    expect(site.counted("registrationsWithoutUpstream")).toBe(4);

    await site.net.until(site.upstream.start());
    expect((await alice.register()).status).toBe(200);
    expect(await site.upstreamUris("alice")).toHaveLength(1);
    expect((await bob.register()).status).toBe(200);
  });

  it("refuses refreshes that are due too, where it is told to", async () => {
    const [site, alice] = await trusting({ mid: { outgoingExpires: 120, whenDown: "refuse" } });
    await alice.register();
    site.upstream.crash();
    expect((await alice.register()).status).toBe(200);
    await site.net.run("40s");
    expect((await alice.register()).status).toBe(503);
  });

  it("waits for its answer no longer than told", async () => {
    const [site, alice] = await trusting({ mid: { timeout: 2000 } });
    site.upstream.crash();
    const before = site.net.clock.now();
    expect((await alice.register()).status).toBe(503);
    expect(site.net.clock.now() - before).toBeLessThan(2100);
    expect(site.counted("registrationsWithoutUpstream")).toBe(1);
    // The transaction lives on, and ends by itself.
    await site.net.run("70s");
    site.net.expectIdle();
  });
});

describe("MidRegistrar, when something ends without a REGISTER", () => {
  it("leaves it to its time at the upstream by default", async () => {
    const [site, alice] = await trusting();
    await alice.register();
    await site.net.run("90s");
    expect(await site.midUris("alice")).toEqual([]);
    expect(await site.upstreamUris("alice")).toHaveLength(1);
  });

  it("removes it at an upstream that takes its word", async () => {
    const [site, alice] = await trusting({ mid: { unregister: true } });
    await alice.register();
    await site.net.run("90s");
    expect(await site.upstreamUris("alice")).toEqual([]);
    await alice.register();
    expect(await site.upstreamUris("alice")).toHaveLength(1);
    await site.mid.app.registrar.registrar.remove("sip:alice@example.com");
    await site.net.run("1s");
    expect(await site.upstreamUris("alice")).toEqual([]);
    expect(site.counted("staleContactsRemoved")).toBe(2);
  });

  it("registers nobody by its own word who wasn't proved", async () => {
    const site = await Site.start({ mid: { unregister: true }, isOpen: true });
    const alice = await site.phone("alice");
    expect((await alice.register()).status).toBe(403);
    expect(site.counted("registrationsNotProved")).toBe(1);
    expect(await site.upstreamUris("alice")).toEqual([]);
  });

  it("removes it with credentials of its own", async () => {
    const unregister = new DigestClient({ credentials: { "example.com": ["mid", "secret"] } });
    const site = await Site.start({ mid: { unregister } });
    const alice = await site.phone("alice");
    await alice.register();
    await site.net.run("90s");
    expect(await site.upstreamUris("alice")).toEqual([]);
    expect((await alice.register()).status).toBe(200);
  });

  it("keeps the one Contact of a user who has another device left", async () => {
    const [site, alice] = await trusting({ mid: { unregister: true, mode: "aor" } });
    const mobile = await site.phone("alice", "mobile");
    await alice.register();
    await site.net.run("30s");
    await mobile.register();
    await site.net.run("40s");
    expect(await site.midUris("alice")).toEqual([mobile.uri]);
    expect(await site.upstreamUris("alice")).toHaveLength(1);
    await site.net.run("40s");
    expect(await site.upstreamUris("alice")).toEqual([]);
  });

  it("leaves it there while the upstream is down, and counts it", async () => {
    const [site, alice] = await trusting({ mid: { unregister: true } });
    await alice.register();
    site.upstream.crash();
    await site.net.run("90s");
    expect(site.counted("staleContactsLeft")).toBe(1);
  });
});

describe("MidRegistrar's bounds", () => {
  it("keeps a user's REGISTERs in order, and as many as five waiting", async () => {
    const [site, alice] = await trusting();
    site.net.between("mid", "upstream", { latency: 200 });
    const sent = ["a", "b", "c", "d", "e", "f"].map((callId) => alice.send({ callId }));
    const statuses = (await site.net.until(Promise.all(sent))).map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 503]);
    expect(site.counted("registrationsWaitingFull")).toBe(1);
    const numbers = site.upstreamRequests("REGISTER").map(({ cseq }) => cseq.number);
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect((await alice.register()).status).toBe(200);
    await site.net.run("40s");
    site.net.expectIdle();
  });

  it("has no more than so many requests at the upstream", async () => {
    const [site, alice] = await trusting({ mid: { maxPending: 1 } });
    const bob = await site.phone("bob");
    site.net.between("mid", "upstream", { latency: 200 });
    const both = await site.net.until(Promise.all([alice.send(), bob.send()]));
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 503]);
    expect(site.counted("registrationsWithoutUpstream")).toBe(1);
  });

  it("remembers no more than so many grants, and asks again for those that it forgot", async () => {
    const [site, alice] = await trusting({ mid: { maxRemembered: 1 } });
    const bob = await site.phone("bob");
    await alice.register();
    await bob.register();
    expect(site.counted("grantsForgotten")).toBe(1);
    await alice.register();
    await alice.register();
    expect([site.upstreamRegisters, site.counted("registrationsAbsorbed")]).toEqual([3, 1]);
  });

  it("survives a network that loses, doubles and reorders", async () => {
    const [site, alice] = await trusting({ mid: { timeout: 30_000, outgoingExpires: 200 } });
    site.net.between("mid", "upstream", { loss: 0.3, duplication: 0.3, reordering: 0.3 });
    for (let n = 0; n < 20; n += 1) {
      expect((await alice.register()).status).toBe(200);
      await site.net.run("30s");
    }
    expect(await site.upstreamUris("alice")).toHaveLength(1);
    expect((await alice.register({ expires: 0 })).status).toBe(200);
    expect(await site.upstreamUris("alice")).toEqual([]);
  });
});
