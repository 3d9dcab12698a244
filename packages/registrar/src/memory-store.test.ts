import { describe, expect, it } from "vitest";
import { memoryStore } from "./memory-store.ts";
import { describeLocationStore, sampleBinding } from "./testing.ts";

describeLocationStore("memoryStore", () => memoryStore(), { describe, it });

const ALICE = "sip:alice@example.com";
const BOB = "sip:bob@example.com";

describe("memoryStore", () => {
  it("answers at once", () => {
    const store = memoryStore();
    expect(store.update(ALICE, () => [sampleBinding(1)])).toEqual([sampleBinding(1)]);
    expect(store.read(ALICE)).toEqual([sampleBinding(1)]);
    expect(store.nextExpiry()).toBe(sampleBinding(1).expiresAt);
  });

  it("gives up a page after ten thousand empty places, and goes on with the next", () => {
    const store = memoryStore();
    for (let user = 0; user < 25_000; user += 1) {
      store.update(`sip:${user}@example.com`, () => [sampleBinding(user)]);
    }
    for (let user = 0; user < 24_999; user += 1) store.update(`sip:${user}@example.com`, () => []);
    const first = store.list({ limit: 10 });
    expect(first).toEqual({ users: [], next: "10000" });
    const second = store.list({ after: first.next, limit: 10 });
    const third = store.list({ after: second.next, limit: 10 });
    expect(second.users).toEqual([]);
    expect(third.users.map((user) => user.addressOfRecord)).toEqual(["sip:24999@example.com"]);
    expect(third.next).toBeUndefined();
    // Who comes takes a place that is free.
    store.update(ALICE, () => [sampleBinding(1)]);
    expect(store.list({ after: "24998", limit: 10 }).users[0]?.addressOfRecord).toBe(ALICE);
  });

  it("counts its users and their bindings", () => {
    const store = memoryStore();
    store.update(ALICE, () => [sampleBinding(1), sampleBinding(2)]);
    store.update(BOB, () => [sampleBinding(3)]);
    expect([store.users, store.bindings]).toEqual([2, 3]);
    store.update(ALICE, (bindings) => bindings.slice(1));
    expect([store.users, store.bindings]).toEqual([2, 2]);
    store.expire(sampleBinding(1).expiresAt, 1);
    expect([store.users, store.bindings]).toEqual([1, 1]);
    store.expire(sampleBinding(1).expiresAt, 1);
    expect([store.users, store.bindings]).toEqual([0, 0]);
  });

  it("refuses a user beyond its capacity, and nobody who is there", () => {
    const store = memoryStore({ capacity: 1 });
    store.update(ALICE, () => [sampleBinding(1)]);
    expect(() => store.update(BOB, () => [sampleBinding(2)])).toThrow(
      "1 users have bindings already",
    );
    expect(store.read(BOB)).toBeUndefined();
    store.update(ALICE, (bindings) => [...bindings, sampleBinding(3)]);
    store.update(ALICE, () => []);
    store.update(BOB, () => [sampleBinding(2)]);
    expect([store.users, store.bindings]).toEqual([1, 1]);
  });

  it("remembers who had bindings, within its bound", () => {
    const store = memoryStore({ remembered: 4 });
    for (let user = 0; user < 10; user += 1) {
      store.update(`user ${user}`, () => [sampleBinding(user)]);
      store.update(`user ${user}`, () => []);
    }
    expect(store.read("user 9")).toEqual([]);
    expect(store.read("user 8")).toEqual([]);
    expect(store.read("user 0")).toBeUndefined();
  });

  it("wakes nobody for a binding that is refreshed again and again", () => {
    const store = memoryStore();
    const start = sampleBinding(1).expiresAt;
    store.update(ALICE, () => [sampleBinding(1)]);
    for (let refresh = 1; refresh <= 1000; refresh += 1) {
      store.update(ALICE, () => [sampleBinding(1, { expiresAt: start + refresh })]);
    }
    // Its first end is looked at once, and from then on its last.
    expect(store.nextExpiry()).toBe(start);
    expect(store.expire(start, 10)).toEqual([]);
    expect(store.nextExpiry()).toBe(start + 1000);
    expect(store.expire(start + 1000, 10)).toHaveLength(1);
    expect(store.nextExpiry()).toBeUndefined();
  });
});
