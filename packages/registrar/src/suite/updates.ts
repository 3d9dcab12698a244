import assert from "node:assert/strict";
import type { Binding } from "../binding.ts";
import { ALICE, type Check, NOON, plain, put, sampleBinding, uris } from "./samples.ts";

/** What `read` and `update` do. */
export function checkUpdates(check: Check): void {
  check("knows nobody at first", async (store) => {
    assert.equal(await store.read(ALICE), undefined);
    await store.update(ALICE, (bindings) => {
      assert.deepEqual(bindings, []);
      return bindings;
    });
  });

  check("keeps what an update gives, in its order", async (store) => {
    const bindings = [sampleBinding(2), sampleBinding(1), sampleBinding(3)];
    const kept = await store.update(ALICE, () => bindings);
    assert.deepEqual(plain(kept), plain(bindings));
    assert.deepEqual(plain(await store.read(ALICE)), plain(bindings));
    await store.update(ALICE, (before) => {
      assert.deepEqual(plain(before), plain(bindings));
      return before.toReversed();
    });
    assert.deepEqual(plain(await store.read(ALICE)), plain(bindings.toReversed()));
  });

  check("replaces, adds and removes in one update", async (store) => {
    await put(store, ALICE, sampleBinding(1), sampleBinding(2), sampleBinding(3));
    const changed = sampleBinding(2, {
      cseq: 7,
      callId: "other",
      flow: undefined,
      path: ["<sip:p;lr>"],
    });
    await store.update(ALICE, (before) => [sampleBinding(4), changed, ...before.slice(2)]);
    assert.deepEqual(
      plain(await store.read(ALICE)),
      plain([sampleBinding(4), changed, sampleBinding(3)]),
    );
  });

  check("keeps two bindings of one URI apart", async (store) => {
    const first = sampleBinding(1, { callId: "first" });
    const second = sampleBinding(1, { callId: "second", expiresAt: NOON + 90_000 });
    await put(store, ALICE, first, second);
    await store.update(ALICE, (before) => [...before, sampleBinding(1, { callId: "third" })]);
    const calls = ((await store.read(ALICE)) ?? []).map((binding) => binding.callId);
    assert.deepEqual(calls, ["first", "second", "third"]);
  });

  check("has nothing left when all are removed", async (store) => {
    await put(store, ALICE, sampleBinding(1));
    await put(store, ALICE);
    assert.deepEqual((await store.read(ALICE)) ?? [], []);
    assert.equal(await store.nextExpiry(), undefined);
    await put(store, ALICE, sampleBinding(2));
    assert.deepEqual(await uris(store, ALICE), [sampleBinding(2).uri]);
  });

  check("writes nothing when the update gives the array that it got", async (store) => {
    await put(store, ALICE, sampleBinding(1));
    const kept = await store.update(ALICE, (bindings) => bindings);
    assert.deepEqual(plain(kept), plain([sampleBinding(1)]));
    assert.deepEqual(plain(await store.read(ALICE)), plain([sampleBinding(1)]));
  });

  check("writes nothing when the update throws, and passes on what it threw", async (store) => {
    await put(store, ALICE, sampleBinding(1));
    const fault = new Error("refused");
    await assert.rejects(
      async () => {
        await store.update(ALICE, () => {
          throw fault;
        });
      },
      (error) => error === fault,
    );
    assert.deepEqual(plain(await store.read(ALICE)), plain([sampleBinding(1)]));
    await put(store, ALICE, sampleBinding(2));
    assert.deepEqual(await uris(store, ALICE), [sampleBinding(2).uri]);
  });

  check("loses none of many updates of one address-of-record at a time", async (store) => {
    const names = Array.from({ length: 50 }, (_, index) => index);
    await Promise.all(
      names.map(async (name) => {
        await store.update(ALICE, (before) => [...before, sampleBinding(name)]);
      }),
    );
    const expected = names.map((name) => sampleBinding(name).uri);
    assert.deepEqual((await uris(store, ALICE)).toSorted(), expected.toSorted());
  });

  check(
    "runs updates of one address-of-record one after the other, reads among them",
    async (store) => {
      await put(store, ALICE, sampleBinding(0, { cseq: 0 }));
      const increment = async (): Promise<void> => {
        await store.update(ALICE, ([binding]) => [
          sampleBinding(0, { cseq: (binding as Binding).cseq + 1 }),
          sampleBinding(1, { cseq: (binding as Binding).cseq + 1 }),
        ]);
      };
      const look = async (): Promise<void> => {
        const seen = (await store.read(ALICE)) ?? [];
        assert.equal(
          new Set(seen.map((binding) => binding.cseq)).size,
          1,
          "half an update was seen",
        );
      };
      await Promise.all(
        Array.from({ length: 40 }, (_, turn) => (turn % 2 === 0 ? increment() : look())),
      );
      assert.equal((await store.read(ALICE))?.[0]?.cseq, 20);
    },
  );

  check("keeps users apart, also when they are updated at a time", async (store) => {
    const users = Array.from({ length: 30 }, (_, index) => `sip:user${index}@example.com`);
    await Promise.all(users.map((user, index) => put(store, user, sampleBinding(index))));
    await put(store, users[3] as string);
    for (const [index, user] of users.entries()) {
      assert.deepEqual(await uris(store, user), index === 3 ? [] : [sampleBinding(index).uri]);
    }
  });
}
