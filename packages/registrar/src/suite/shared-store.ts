import assert from "node:assert/strict";
import type { Binding } from "../binding.ts";
import type { LocationStore } from "../location-store.ts";
import type { TestFunctions } from "./location-store.ts";
import { ALICE, ALL, NOON, plain, put, sampleBinding, uris } from "./samples.ts";

/** Two stores on the same bindings. */
export type StorePair = readonly [one: LocationStore, other: LocationStore];

/** Makes two stores on the same bindings, of which there are none yet, for each test; the suite closes both. */
export type CreateStorePair = () => StorePair | Promise<StorePair>;

/**
 * Checks that stores which share their bindings, as those of two processes or machines, don't get into each other's way.
 *
 * @example
 * describeSharedLocationStore("my store", () => [new MyStore(url), new MyStore(url)], { describe, it });
 */
export function describeSharedLocationStore(
  name: string,
  create: CreateStorePair,
  { describe, it }: TestFunctions,
): void {
  const check = (title: string, run: (...pair: StorePair) => Promise<void>): void => {
    it(title, async () => {
      const pair = await create();
      try {
        await run(...pair);
      } finally {
        for (const store of pair) await store.close?.();
      }
    });
  };
  describe(`${name}, two on the same bindings`, () => checkPair(check));
}

const USERS: readonly string[] = Array.from({ length: 20 }, (_, user) => `sip:user${user}@a.com`);

function checkPair(
  check: (title: string, run: (...pair: StorePair) => Promise<void>) => void,
): void {
  check("shows one what the other has acknowledged", async (one, other) => {
    for (let turn = 1; turn <= 20; turn += 1) {
      await put(turn % 2 === 0 ? one : other, ALICE, sampleBinding(turn));
      const seen = await (turn % 2 === 0 ? other : one).read(ALICE);
      assert.deepEqual(plain(seen), plain([sampleBinding(turn)]));
    }
  });

  check("loses none of many updates of one address-of-record through both", async (one, other) => {
    const names = Array.from({ length: 40 }, (_, index) => index);
    await Promise.all(
      names.map(async (name) => {
        const store = name % 2 === 0 ? one : other;
        await store.update(ALICE, (before) => [...before, sampleBinding(name)]);
      }),
    );
    const expected = names.map((name) => sampleBinding(name).uri);
    assert.deepEqual((await uris(one, ALICE)).toSorted(), expected.toSorted());
    assert.deepEqual(await uris(other, ALICE), await uris(one, ALICE));
  });

  check("shows one no half of the other's update", async (one, other) => {
    const both = (cseq: number): Binding[] => [
      sampleBinding(1, { cseq }),
      sampleBinding(2, { cseq }),
    ];
    await put(one, ALICE, ...both(0));
    const turns = Array.from({ length: 40 }, (_, turn) => turn);
    await Promise.all(
      turns.map(async (turn) => {
        const store = turn % 2 === 0 ? one : other;
        if (turn % 4 < 2) await store.update(ALICE, ([first]) => both((first?.cseq ?? 0) + 1));
        const [first, second] = (await store.read(ALICE)) ?? [];
        assert.equal(first?.cseq, second?.cseq, "half an update was seen");
      }),
    );
    assert.equal((await one.read(ALICE))?.[0]?.cseq, 20);
  });

  check("takes nothing back when one removes what the other adds again", async (one, other) => {
    for (let turn = 0; turn < 10; turn += 1) {
      await put(one, ALICE, sampleBinding(turn));
      await put(other, ALICE);
      assert.deepEqual((await one.read(ALICE)) ?? [], []);
      await put(one, ALICE, sampleBinding(turn));
      assert.deepEqual(await uris(other, ALICE), [sampleBinding(turn).uri]);
    }
  });

  check("gives each expired binding to one of both alone", async (one, other) => {
    for (const user of USERS) await put(one, user, sampleBinding(user));
    const shares = await Promise.all(
      [one, other, one, other].map(async (store) => await store.expire(NOON + 60_000, ALL)),
    );
    const all = shares.flat().map(({ addressOfRecord }) => addressOfRecord);
    assert.deepEqual(all.toSorted(), USERS.toSorted());
  });

  check("keeps what one refreshes while the other expires", async (one, other) => {
    for (const user of USERS) await put(one, user, sampleBinding(user));
    const refreshed = (user: string): Binding =>
      sampleBinding(user, { expiresAt: NOON + 120_000, cseq: 1 });
    await Promise.all([
      other.expire(NOON + 60_000, ALL),
      ...USERS.map((user) => put(one, user, refreshed(user))),
      other.expire(NOON + 60_000, ALL),
    ]);
    for (const user of USERS) {
      assert.deepEqual(plain(await other.read(user)), plain([refreshed(user)]));
    }
    assert.equal((await other.expire(NOON + 120_000, ALL)).length, USERS.length);
    assert.equal(await one.nextExpiry(), undefined);
  });

  check(
    "lists through one who is there all the time, whatever the other changes",
    async (one, other) => {
      for (const user of USERS) await put(other, user, sampleBinding(user));
      const staying = USERS.filter((_, index) => index % 2 === 0);
      const seen = new Set<string>();
      let after: string | undefined;
      for (let page = 0; page < 1000; page += 1) {
        const { users, next } = await one.list({ after, limit: 2 });
        for (const { addressOfRecord } of users) seen.add(addressOfRecord);
        if (next === undefined) break;
        after = next;
        const leaving = USERS[2 * page + 1];
        if (leaving !== undefined) await put(other, leaving);
        await put(other, `sip:new${page}@a.com`, sampleBinding(page));
      }
      assert.deepEqual(
        staying.filter((user) => !seen.has(user)),
        [],
      );
    },
  );

  check("counts through one what the other has", async (one, other) => {
    if (one.counts === undefined) return;
    await put(other, ALICE, sampleBinding(1));
    for (const user of USERS) await put(one, user, sampleBinding(user));
    assert.equal((await one.counts()).users, 1 + USERS.length);
    assert.equal((await other.counts?.())?.users, 1 + USERS.length);
    await put(other, ALICE);
    await other.expire(NOON + 60_000, 5);
    assert.equal((await one.counts()).users, USERS.length - 5);
  });

  check("tells one when the other's bindings end", async (one, other) => {
    await put(one, ALICE, sampleBinding(1));
    assert.ok(((await other.nextExpiry()) ?? Number.NaN) <= NOON + 60_000);
    await put(other, ALICE, sampleBinding(1, { expiresAt: NOON + 1000 }));
    assert.ok(((await one.nextExpiry()) ?? Number.NaN) <= NOON + 1000);
    assert.equal((await one.expire(NOON + 1000, ALL)).length, 1);
    assert.equal(await other.nextExpiry(), undefined);
  });
}
