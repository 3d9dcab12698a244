import assert from "node:assert/strict";
import {
  ALICE,
  ALL,
  BOB,
  type Check,
  FLOWS,
  NOON,
  plain,
  put,
  sampleBinding,
  uris,
} from "./samples.ts";

/** That bindings end in time order, at a cost that follows what is due. */
export function checkExpiry(check: Check): void {
  check("has nothing to expire at first", async (store) => {
    assert.equal(await store.nextExpiry(), undefined);
    assert.deepEqual(await store.expire(Number.MAX_SAFE_INTEGER, ALL), []);
  });

  check("gives what is over in the order of its end, whose it was, and once", async (store) => {
    // 0, 7, 4, 1, 8, 5, 2, 9, 6, 3 seconds after noon, three users in turn
    for (let index = 0; index < 10; index += 1) {
      const binding = sampleBinding(index, { expiresAt: NOON + ((index * 7) % 10) * 1000 });
      await store.update(`sip:user${index % 3}@example.com`, (before) => [...before, binding]);
    }
    const early = await store.expire(NOON + 4000, ALL);
    assert.deepEqual(
      early.map(({ binding, addressOfRecord }) => [binding.expiresAt - NOON, addressOfRecord]),
      [
        [0, "sip:user0@example.com"],
        [1000, "sip:user0@example.com"],
        [2000, "sip:user0@example.com"],
        [3000, "sip:user0@example.com"],
        [4000, "sip:user2@example.com"],
      ],
    );
    assert.deepEqual(await store.expire(NOON + 4000, ALL), []);
    const late = await store.expire(NOON + 9000, ALL);
    assert.deepEqual(
      late.map(({ binding }) => binding.expiresAt - NOON),
      [5000, 6000, 7000, 8000, 9000],
    );
    for (const user of [0, 1, 2])
      assert.deepEqual(await uris(store, `sip:user${user}@example.com`), []);
    assert.equal(await store.nextExpiry(), undefined);
  });

  check("gives an expired binding whole", async (store) => {
    await put(store, ALICE, sampleBinding(1, { path: ["<sip:p;lr>"], flow: FLOWS[2] }));
    const expired = await store.expire(NOON + 60_000, ALL);
    assert.deepEqual(plain(expired), [
      {
        addressOfRecord: ALICE,
        binding: plain(sampleBinding(1, { path: ["<sip:p;lr>"], flow: FLOWS[2] })),
      },
    ]);
  });

  check("expires one of a user's bindings and keeps the others in their order", async (store) => {
    await put(
      store,
      ALICE,
      sampleBinding(1, { expiresAt: NOON + 3000 }),
      sampleBinding(2, { expiresAt: NOON + 1000 }),
      sampleBinding(3, { expiresAt: NOON + 2000 }),
      sampleBinding(4, { expiresAt: NOON + 4000 }),
    );
    const names = async (now: number): Promise<readonly string[]> =>
      (await store.expire(now, ALL)).map(({ binding }) => binding.callId);
    assert.deepEqual(await names(NOON + 999), []);
    assert.deepEqual(await names(NOON + 1000), ["call-2@192.0.2.7"]);
    assert.deepEqual(
      await uris(store, ALICE),
      [1, 3, 4].map((name) => sampleBinding(name).uri),
    );
    assert.deepEqual(await names(NOON + 3999), ["call-3@192.0.2.7", "call-1@192.0.2.7"]);
    assert.deepEqual(await uris(store, ALICE), [sampleBinding(4).uri]);
  });

  check("follows a binding that was refreshed or shortened", async (store) => {
    await put(store, ALICE, sampleBinding(1, { expiresAt: NOON + 1000 }));
    await put(store, BOB, sampleBinding(2, { expiresAt: NOON + 9000 }));
    await put(store, ALICE, sampleBinding(1, { expiresAt: NOON + 5000 }));
    await put(store, BOB, sampleBinding(2, { expiresAt: NOON + 4000 }));
    assert.deepEqual(await store.expire(NOON + 3999, ALL), []);
    const expired = await store.expire(NOON + 5000, ALL);
    assert.deepEqual(
      expired.map(({ addressOfRecord }) => addressOfRecord),
      [BOB, ALICE],
    );
  });

  check("expires at most as many as it is asked for", async (store) => {
    for (let index = 0; index < 7; index += 1) {
      await put(
        store,
        `sip:user${index}@example.com`,
        sampleBinding(index, { expiresAt: NOON + index }),
      );
    }
    const counts: number[] = [];
    for (let turn = 0; turn < 4; turn += 1)
      counts.push((await store.expire(NOON + 60_000, 3)).length);
    assert.deepEqual(counts, [3, 3, 1, 0]);
  });

  check("gives each expired binding to one caller alone", async (store) => {
    for (let index = 0; index < 20; index += 1) {
      await put(store, `sip:user${index}@example.com`, sampleBinding(index));
    }
    const shares = await Promise.all(
      Array.from({ length: 5 }, async () => await store.expire(NOON + 60_000, ALL)),
    );
    const all = shares.flat().map(({ addressOfRecord }) => addressOfRecord);
    assert.equal(all.length, 20);
    assert.equal(new Set(all).size, 20);
  });

  check("keeps what is refreshed while it expires", async (store) => {
    const users = Array.from({ length: 20 }, (_, user) => `sip:user${user}@example.com`);
    for (const user of users) await put(store, user, sampleBinding(user));
    const refreshed = sampleBinding("new", { expiresAt: NOON + 120_000 });
    await Promise.all([
      store.expire(NOON + 60_000, ALL),
      ...users.map((user) => put(store, user, refreshed)),
      store.expire(NOON + 60_000, ALL),
    ]);
    for (const user of users) assert.deepEqual(await uris(store, user), [refreshed.uri]);
    assert.equal((await store.expire(NOON + 120_000, ALL)).length, users.length);
    assert.equal(await store.nextExpiry(), undefined);
  });

  check(
    "tells when to expire: never too late, and later than now once nothing is due",
    async (store) => {
      await put(store, ALICE, sampleBinding(1, { expiresAt: NOON + 5000 }));
      await put(store, BOB, sampleBinding(2, { expiresAt: NOON + 3000 }));
      assert.ok(((await store.nextExpiry()) ?? Number.NaN) <= NOON + 3000);
      await put(store, BOB, sampleBinding(2, { expiresAt: NOON + 8000 }));
      assert.ok(((await store.nextExpiry()) ?? Number.NaN) <= NOON + 5000);
      assert.deepEqual(await store.expire(NOON + 4000, ALL), []);
      const next = (await store.nextExpiry()) ?? Number.NaN;
      assert.ok(next > NOON + 4000 && next <= NOON + 5000);
      await put(store, ALICE, sampleBinding(1, { expiresAt: NOON + 4500 }));
      assert.ok(((await store.nextExpiry()) ?? Number.NaN) <= NOON + 4500);
    },
  );
}
