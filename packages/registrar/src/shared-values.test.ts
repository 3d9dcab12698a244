import { describe, expect, it } from "vitest";
import { SharedValues } from "./shared-values.ts";

describe("SharedValues", () => {
  const use = (shared: SharedValues<string[]>, key: string): number =>
    shared.use(key, () => ({ key, value: [key] }));

  it("keeps one copy of what is used twice, until nobody uses it", () => {
    const shared = new SharedValues<string[]>();
    const number = use(shared, "a");
    expect(use(shared, "a")).toBe(number);
    const value = shared.get(number);
    expect(value).toEqual(["a"]);
    shared.release(number);
    expect(shared.get(number)).toBe(value);
    shared.release(number);
    expect([shared.get(number), shared.size]).toEqual([undefined, 0]);
  });

  it("keeps different values apart, and gives numbers out again", () => {
    const shared = new SharedValues<string[]>();
    const first = use(shared, "__proto__");
    const second = use(shared, "constructor");
    expect([shared.get(first), shared.get(second)]).toEqual([["__proto__"], ["constructor"]]);
    shared.release(first);
    const third = use(shared, "third");
    expect(third).toBe(first);
    expect([shared.get(third), shared.get(second)]).toEqual([["third"], ["constructor"]]);
    expect(shared.size).toBe(2);
  });

  it("knows nothing behind a number that it did not give", () => {
    const shared = new SharedValues<string[]>();
    shared.release(-1);
    expect(shared.get(-1)).toBeUndefined();
  });
});
