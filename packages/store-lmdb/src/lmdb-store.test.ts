import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TestServer } from "@sipkit/core/testing";
import { type LocationStore, Registrar } from "@sipkit/registrar";
import {
  describeLocationStore,
  describeSharedLocationStore,
  sampleBinding,
} from "@sipkit/registrar/testing";
import { open } from "lmdb";
import { afterAll, describe, expect, it } from "vitest";
import { lmdbStore } from "./lmdb-store.ts";

const ALICE = "sip:alice@example.com";
const BOB = "sip:bob@example.com";
const { expiresAt: END } = sampleBinding(1);

const folder = mkdtempSync(join(tmpdir(), "sipkit-lmdb-"));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function freshPath(): string {
  count += 1;
  return join(folder, String(count));
}

describeLocationStore("lmdbStore", () => lmdbStore({ path: freshPath() }), { describe, it });
describeSharedLocationStore(
  "lmdbStore",
  () => {
    const path = freshPath();
    return [lmdbStore({ path }), lmdbStore({ path })];
  },
  { describe, it },
);

describe("lmdbStore", () => {
  it("has everything after it was closed and opened again", async () => {
    const path = freshPath();
    const first = lmdbStore({ path });
    await first.update(ALICE, () => [sampleBinding(1), sampleBinding(2)]);
    await first.update(BOB, () => [sampleBinding(3)]);
    await first.update(BOB, () => []);
    await first.close();
    const second = lmdbStore({ path });
    expect(second.read(ALICE)).toEqual([sampleBinding(1), sampleBinding(2)]);
    expect(second.read(BOB)).toEqual([]);
    expect(second.users).toBe(1);
    expect(second.nextExpiry()).toBe(END);
    expect(await second.expire(END, 10)).toHaveLength(2);
    await second.close();
  });

  it("refuses a user beyond its capacity, and nobody who is there", async () => {
    const store = lmdbStore({ path: freshPath(), capacity: 1 });
    await store.update(ALICE, () => [sampleBinding(1)]);
    await expect(store.update(BOB, () => [sampleBinding(2)])).rejects.toMatchObject({
      code: "SIP_STORE_FULL",
    });
    expect(store.read(BOB)).toBeUndefined();
    await store.update(ALICE, (bindings) => [...bindings, sampleBinding(3)]);
    // Within one transaction, too.
    const both = ["a", "b"].map((user) => store.update(user, () => [sampleBinding(2)]));
    await store.update(ALICE, () => []);
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual([
      "rejected",
      "rejected",
    ]);
    const again = ["a", "b"].map((user) => store.update(user, () => [sampleBinding(2)]));
    expect((await Promise.allSettled(again)).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
    ]);
    expect(store.users).toBe(1);
    await store.close();
  });

  it("remembers who had bindings, within its bound, and who came back", async () => {
    const store = lmdbStore({ path: freshPath(), remembered: 3 });
    const leave = async (user: string): Promise<void> => {
      await store.update(user, () => [sampleBinding(user)]);
      await store.update(user, () => []);
    };
    for (const user of ["a", "b", "c", "a", "d"]) await leave(user);
    expect(["a", "b", "c", "d"].map((user) => store.read(user))).toEqual([[], undefined, [], []]);
    await store.update("c", () => [sampleBinding("c")]);
    await leave("e");
    expect(["a", "d", "e"].map((user) => store.read(user))).toEqual([[], [], []]);
    await store.expire(END, 10);
    expect(store.read("c")).toEqual([]);
    await store.close();
  });

  it("writes the index once for a binding that is refreshed again and again", async () => {
    const store = lmdbStore({ path: freshPath() });
    for (let refresh = 0; refresh <= 10; refresh += 1) {
      await store.update(ALICE, () => [sampleBinding(1, { expiresAt: END + refresh })]);
    }
    expect(store.nextExpiry()).toBe(END);
    expect(await store.expire(END, 10)).toEqual([]);
    expect(store.nextExpiry()).toBe(END + 10);
    await store.close();
  });

  it("expires more than a transaction looks at", async () => {
    const store = lmdbStore({ path: freshPath() });
    const users = Array.from({ length: 600 }, (_, user) => `user ${user}`);
    // Half of them were refreshed: they are looked at, and stay.
    await Promise.all(users.map((user) => store.update(user, () => [sampleBinding(user)])));
    await Promise.all(
      users
        .slice(300)
        .map((user) => store.update(user, () => [sampleBinding(user, { expiresAt: END + 1 })])),
    );
    expect(await store.expire(END, 1000)).toHaveLength(300);
    expect(store.users).toBe(300);
    expect(await store.expire(END, 1000)).toEqual([]);
    expect(await store.expire(END + 1, 1000)).toHaveLength(300);
    await store.close();
  });

  it("keeps members of bindings that it doesn't know", async () => {
    const store = lmdbStore({ path: freshPath() });
    const later = { ...sampleBinding(1), invented: { later: [1, "two"] } };
    await store.update(ALICE, () => [later]);
    expect(store.read(ALICE)).toEqual([later]);
    await store.close();
  });

  it("reads what the first version has written, and goes on with it", async () => {
    // Byte for byte as it was written then: never to be changed without another format.
    const binding =
      `{"uri":"sip:alice@192.0.2.7","params":";q=0.5","q":0.5,"expiresAt":${END},"callId":"c","cseq":7,"digest":-1,` +
      '"path":["<sip:p;lr>"],"flow":{"node":"a","epoch":"1","protocol":"tcp","local":"192.0.2.1:5060",' +
      '"remote":"192.0.2.7:1024","connection":3},"userAgent":"phone"}';
    const path = freshPath();
    const bytes = { keyEncoding: "binary", encoding: "binary" } as const;
    const root = open({ path, noSubdir: false, overlappingSync: false, ...bytes });
    const put = (table: string, key: Buffer, value: Buffer | string): Promise<boolean> =>
      root.openDB<Uint8Array, Uint8Array>(table, bytes).put(key, Buffer.from(value));
    const number = (value: number): Buffer => {
      const written = Buffer.alloc(8);
      written.writeDoubleBE(value);
      return written;
    };
    const [alice, bob] = [ALICE, BOB].map((user) => Buffer.from(`\x01${user}`)) as [Buffer, Buffer];
    await put("about", Buffer.from("format"), "1");
    await put("users", alice, `["${ALICE}",${END},[${binding}]]`);
    await put("ends", Buffer.concat([number(END), alice]), "\x01");
    await put("departed", bob, number(1));
    await put("departures", Buffer.concat([number(1), bob]), "\x01");
    await root.close();

    const store = lmdbStore({ path });
    expect(store.read(ALICE)).toEqual([JSON.parse(binding)]);
    expect(store.read(BOB)).toEqual([]);
    expect(store.list({ limit: 10 }).users).toHaveLength(1);
    await store.update(ALICE, (bindings) => [...bindings, sampleBinding(2)]);
    expect(await store.expire(END, 10)).toMatchObject([{ binding: { cseq: 7 } }, {}]);
    expect(store.users).toBe(0);
    await store.update(BOB, () => [sampleBinding(3)]);
    expect(store.users).toBe(1);
    await store.close();
  });

  it("makes its folder for its owner alone", async () => {
    const path = join(freshPath(), "sipkit.data");
    const store = lmdbStore({ path });
    expect(statSync(path).mode & 0o777).toBe(0o700);
    await store.close();
  });

  it("says what it can't open", async () => {
    const file = freshPath();
    writeFileSync(file, "no folder");
    expect(() => lmdbStore({ path: file })).toThrow(
      expect.objectContaining({ code: "SIP_BAD_STORE" }),
    );
    for (const content of ["x".repeat(10_000), "short", Buffer.alloc(10_000)]) {
      const damaged = freshPath();
      mkdirSync(damaged);
      writeFileSync(join(damaged, "data.mdb"), content);
      expect(() => lmdbStore({ path: damaged })).toThrow("can't be opened as a store");
    }

    const path = freshPath();
    await lmdbStore({ path }).close();
    const root = open({ path, keyEncoding: "binary", encoding: "binary", overlappingSync: false });
    const about = root.openDB("about", { keyEncoding: "binary", encoding: "binary" });
    await about.put(Buffer.from("format"), Buffer.from("2"));
    await root.close();
    expect(() => lmdbStore({ path })).toThrow("the store has format 2, this version reads 1");
  });

  it("takes and gives nothing when it is closed", async () => {
    const store = lmdbStore({ path: freshPath() });
    await store.update(ALICE, () => [sampleBinding(1)]);
    await store.close();
    expect(() => store.read(ALICE)).toThrow();
    await expect(store.update(ALICE, () => [])).rejects.toMatchObject({
      code: "SIP_STORE_UNAVAILABLE",
    });
  });
});

/** A registrar's answer to a REGISTER, and what it has counted. */
async function register(
  store: LocationStore,
  user: string,
): Promise<readonly [status: unknown, counters: Readonly<Record<string, number>>]> {
  const server = await TestServer.start([new Registrar({ store })]);
  const lines = [
    "REGISTER sip:example.com SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK1",
    `To: <sip:${user}@example.com>`,
    "Contact: <sip:phone@192.0.2.100>",
  ];
  const { sent } = await server.ask(`${lines.join("\r\n")}\r\n\r\n`);
  const [answer] = sent as readonly { readonly status?: number }[];
  return [answer?.status, server.dispatcher.counters()];
}

describe("lmdbStore within a registrar", () => {
  it("has a user beyond its capacity refused with 503, and counted", async () => {
    const store = lmdbStore({ path: freshPath(), capacity: 1 });
    expect(await register(store, "alice")).toMatchObject([200, {}]);
    expect(await register(store, "bob")).toMatchObject([503, { registrationsStoreFull: 1 }]);
    expect(await register(store, "alice")).toMatchObject([200, {}]);
    await store.close();
  });

  it("has a REGISTER refused with 503, and counted, while too many updates wait", async () => {
    const store = lmdbStore({ path: freshPath() });
    const many = Array.from({ length: 12_000 }, () => store.update(ALICE, (before) => before));
    const settled = Promise.allSettled(many);
    expect(await register(store, "alice")).toMatchObject([503, { storeUnavailable: 1 }]);
    await settled;
    expect(await register(store, "alice")).toMatchObject([200, {}]);
    await store.close();
  });
});
