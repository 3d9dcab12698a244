import assert from "node:assert/strict";
import type { FlowRef } from "@sipkit/core";
import type { Binding } from "../binding.ts";
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

const KEYS: readonly string[] = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "sip:*@example.com",
  "sip:a:b|c{d}[e]@example.com",
  "sip:' OR 1=1--@example.com",
  "sip:*)(uid=*@example.com",
  "sip:../../etc/passwd@example.com",
  "sip:a b\tc\nd@example.com",
  "sip:nul\0byte@example.com",
  "sip:J\u00f6rg \u96ea\u{1f600}@example.com",
  `sip:${"long".repeat(300)}@example.com`,
];

/** That what is kept comes out as it went in. */
export function checkContents(check: Check): void {
  check("takes any string as a key", async (store) => {
    for (const [index, key] of KEYS.entries()) await put(store, key, sampleBinding(index));
    for (const [index, key] of KEYS.entries()) {
      assert.deepEqual(plain(await store.read(key)), plain([sampleBinding(index)]), key);
    }
    const expired = await store.expire(NOON + 60_000, ALL);
    const keys = expired.map(({ addressOfRecord }) => addressOfRecord);
    assert.deepEqual(keys.toSorted(), KEYS.toSorted());
  });

  check("takes keys that differ only in case as two", async (store) => {
    await put(store, "sip:alice@example.com", sampleBinding(1));
    await put(store, "sip:Alice@example.com", sampleBinding(2));
    assert.deepEqual(await uris(store, "sip:alice@example.com"), [sampleBinding(1).uri]);
    assert.deepEqual(await uris(store, "sip:Alice@example.com"), [sampleBinding(2).uri]);
  });

  check("keeps every flow as it is, through JSON too", async (store) => {
    const bindings = [undefined, ...FLOWS].map((flow, index) => sampleBinding(index, { flow }));
    await put(store, ALICE, ...bindings);
    const read = (await store.read(ALICE)) ?? [];
    const flows = read.map((binding) => binding.flow);
    assert.deepEqual(flows, [undefined, ...FLOWS]);
    await put(store, BOB, ...(JSON.parse(JSON.stringify(read)) as Binding[]));
    assert.deepEqual(plain(await store.read(BOB)), plain(bindings));
    // Each flow in the place of another.
    await store.update(ALICE, (before) =>
      before.map((binding, index) => ({ ...binding, flow: bindings.at(index - 1)?.flow })),
    );
    const moved = ((await store.read(ALICE)) ?? []).map((binding) => binding.flow);
    assert.deepEqual(moved, [FLOWS[2], undefined, FLOWS[0], FLOWS[1]]);
  });

  check("keeps texts and numbers as they are", async (store) => {
    const bindings = [
      sampleBinding(1, {
        uri: "SIP:%61lice@[2001:DB8::7]:5060;Transport=TCP",
        params: "",
        path: [],
      }),
      sampleBinding(2, { q: 0, expiresAt: NOON + 0.5, cseq: 0, digest: 0, userAgent: undefined }),
      sampleBinding(3, { q: 1, digest: 2_147_483_647, userAgent: "J\u00f6rg's \u96ea phone" }),
      sampleBinding(4, { q: 0.333, path: ["<sip:first;lr>", '"a, b" <sip:second;lr>;x="\\""'] }),
      sampleBinding(5, { params: ';x="\u00e4, \u96ea";y', callId: "__proto__" }),
    ];
    await put(store, ALICE, ...bindings);
    assert.deepEqual(plain(await store.read(ALICE)), plain(bindings));
  });

  check("keeps methods and an application's attributes, or that there are none", async (store) => {
    const attributes: Readonly<Record<string, string>> = JSON.parse(
      '{"__proto__":"a","ü":"雪","":""}',
    );
    const variants: readonly Partial<Binding>[] = [
      { methods: ["INVITE", "x"], attributes },
      { methods: ["INVITE", "x"] },
      { attributes: { tenant: "7" } },
      { attributes: { tenant: "8" } },
      { methods: [] },
      {},
      { userAgent: undefined, attributes: { tenant: "7" } },
      { userAgent: undefined, methods: ["ACK"] },
    ];
    // Each on its own, and then in the place of another one.
    for (let turn = 0; turn < variants.length; turn += 1) {
      const bindings = variants.map((_, index) =>
        sampleBinding(index, variants[(index + turn) % variants.length]),
      );
      await put(store, ALICE, ...bindings);
      const read = await store.read(ALICE);
      assert.deepEqual(plain(read), plain(bindings));
      const [odd] = (read ?? []).filter((binding) => binding.attributes?.ü !== undefined);
      assert.deepEqual(Object.entries(odd?.attributes ?? {}), Object.entries(attributes));
    }
  });

  check("keeps as much as a registrar lets in", async (store) => {
    const hops = Array.from({ length: 20 }, (_, hop) => `<sip:${"h".repeat(36)}${hop};lr>`);
    const full = (index: number, letter: string): Binding => ({
      uri: `sip:${index}${letter.repeat(700)}@192.0.2.7`,
      params: `;x="${letter.repeat(300)}"`,
      q: 0.001,
      expiresAt: NOON + index,
      callId: `${index}${letter.repeat(250)}`,
      cseq: 2_147_483_647,
      digest: -2_147_483_648,
      path: hops,
      flow: FLOWS[2],
      userAgent: letter.repeat(128),
      methods: Array.from({ length: 64 }, (_, method) => `${letter}${method}`),
      attributes: { [letter.repeat(24)]: letter.repeat(1000) },
    });
    const bindings = Array.from({ length: 50 }, (_, index) => full(index, index % 2 ? "x" : "é"));
    await put(store, ALICE, ...bindings);
    assert.deepEqual(plain(await store.read(ALICE)), plain(bindings));
    const expired = await store.expire(NOON + 24, ALL);
    assert.deepEqual(plain(expired.map(({ binding }) => binding)), plain(bindings.slice(0, 25)));
    assert.deepEqual(plain(await store.read(ALICE)), plain(bindings.slice(25)));
  });

  check("does not change what was read earlier", async (store) => {
    await put(store, ALICE, sampleBinding(1), sampleBinding(2));
    const read = await store.read(ALICE);
    await store.update(ALICE, () => [
      sampleBinding(1, { cseq: 9, expiresAt: NOON + 99_000, flow: FLOWS[1] }),
    ]);
    await store.expire(NOON + 99_000, ALL);
    assert.deepEqual(plain(read), plain([sampleBinding(1), sampleBinding(2)]));
  });

  check("does not follow changes of what it was given or gave", async (store) => {
    const lists = { path: ["<sip:p;lr>"], methods: ["INVITE"], attributes: { tenant: "7" } };
    const given = [{ ...sampleBinding(1), ...lists, flow: { ...FLOWS[0] } as FlowRef }];
    await store.update(ALICE, () => given);
    const expected = plain(given);
    const spoil = (bindings: readonly Binding[] | undefined): void => {
      // A frozen object refuses, a copy takes it: both are right.
      const [first] = bindings ?? [];
      const attempts = [
        () => Object.assign(first?.flow ?? {}, { remote: "192.0.2.66:6666" }),
        () => Object.assign(first?.path ?? [], { 1: "<sip:evil;lr>" }),
        () => Object.assign(first?.methods ?? [], { 1: "EVIL" }),
        () => Object.assign(first?.attributes ?? {}, { tenant: "666" }),
        () => Object.assign(first ?? {}, { uri: "sip:evil@192.0.2.66", cseq: 0 }),
        () => Object.assign(bindings ?? [], { 1: sampleBinding(666) }),
      ];
      for (const attempt of attempts) {
        try {
          attempt();
        } catch (error) {
          assert.ok(error instanceof TypeError);
        }
      }
    };
    spoil(given);
    assert.deepEqual(plain(await store.read(ALICE)), expected);
    spoil(await store.read(ALICE));
    assert.deepEqual(plain(await store.read(ALICE)), expected);
    spoil(await store.update(ALICE, (bindings) => bindings));
    assert.deepEqual(plain(await store.read(ALICE)), expected);
  });
}
