import assert from "node:assert/strict";
import type { LocationStore, StoredUser } from "../location-store.ts";
import { ALICE, BOB, type Check, FLOWS, plain, put, sampleBinding } from "./samples.ts";

const user = (index: number): string => `sip:user${index}@example.com`;
const EVERYBODY: readonly string[] = Array.from({ length: 25 }, (_, index) => user(index));

/** Walks through all pages; `between` runs after each but the last. */
async function walk(
  store: LocationStore,
  limit: number,
  between?: (page: number) => Promise<void>,
): Promise<readonly StoredUser[]> {
  const all: StoredUser[] = [];
  let after: string | undefined;
  for (let page = 1; ; page += 1) {
    assert.ok(page <= 1000, "the pages have an end");
    const { users, next } = await store.list({ after, limit });
    assert.ok(users.length <= limit, `${users.length} users on a page of ${limit}`);
    all.push(...users);
    if (next === undefined) return all;
    after = next;
    await between?.(page);
  }
}

const names = (users: readonly StoredUser[]): readonly string[] =>
  [...new Set(users.map(({ addressOfRecord }) => addressOfRecord))].toSorted();

/** That everybody who has bindings is found, page by page. */
export function checkListing(check: Check): void {
  check("lists nobody at first", async (store) => {
    assert.deepEqual(plain(await store.list({ limit: 10 })), { users: [] });
  });

  check("lists users with all of their bindings, in their order", async (store) => {
    const bindings = [
      sampleBinding(2, { flow: FLOWS[1] }),
      sampleBinding(1, { path: ["<sip:p>"] }),
    ];
    await put(store, ALICE, ...bindings);
    assert.deepEqual(plain(await walk(store, 10)), [
      { addressOfRecord: ALICE, bindings: plain(bindings) },
    ]);
  });

  check("lists everybody, whatever the size of a page, and nobody who has left", async (store) => {
    for (const each of EVERYBODY) await put(store, each, sampleBinding(1), sampleBinding(2));
    await put(store, BOB, sampleBinding(3));
    await put(store, BOB);
    for (const limit of [1, 2, 24, 25, 26, 1000]) {
      const found = await walk(store, limit);
      assert.deepEqual(names(found), EVERYBODY.toSorted(), `pages of ${limit}`);
      assert.ok(found.every(({ bindings }) => bindings.length === 2));
    }
  });

  check(
    "misses nobody who is there all the time, whoever comes and goes meanwhile",
    async (store) => {
      for (const each of EVERYBODY) await put(store, each, sampleBinding(1), sampleBinding(2));
      const staying = EVERYBODY.filter((_, index) => index % 3 !== 0);
      const found = await walk(store, 3, async (page) => {
        // One leaves, one comes, one comes back, and those who stay get other bindings in another order.
        await put(store, user((3 * page) % 27));
        await put(store, `sip:new${page}@example.com`, sampleBinding(page));
        if (page > 2) await put(store, user((3 * page - 6) % 27), sampleBinding("again"));
        for (const each of staying) {
          await put(store, each, sampleBinding(`${page}a`), sampleBinding(2), sampleBinding(1));
        }
      });
      const seen = new Set(names(found));
      assert.deepEqual(
        staying.filter((each) => !seen.has(each)),
        [],
      );
    },
  );

  check("takes any string as a key of a page's last user", async (store) => {
    const keys = [
      "",
      "__proto__",
      "sip:a b\tc\0@example.com",
      `sip:${"é".repeat(900)}@a`,
      "\ud800",
    ];
    for (const key of keys) await put(store, key, sampleBinding(1));
    assert.deepEqual(names(await walk(store, 1)), keys.toSorted());
  });

  check("refuses an end of a page that was none", async (store) => {
    await put(store, ALICE, sampleBinding(1));
    for (const after of ["", "-1", "1e3", "{}", "*", "é", `${ALICE}\n`]) {
      const list = async (): Promise<unknown> => await store.list({ after, limit: 1 });
      await assert.rejects(list, { code: "SIP_BAD_CURSOR" }, after);
    }
  });

  check("counts its users", async (store) => {
    if (store.counts === undefined) return;
    assert.equal((await store.counts()).users, 0);
    await put(store, ALICE, sampleBinding(1), sampleBinding(2));
    await put(store, BOB, sampleBinding(1));
    const { users, bindings = 3 } = await store.counts();
    assert.deepEqual([users, bindings], [2, 3]);
    await put(store, BOB);
    assert.equal((await store.counts()).users, 1);
  });
}
