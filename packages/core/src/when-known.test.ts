import { describe, expect, it } from "vitest";
import { isPromise, whenKnown } from "./when-known.ts";

describe("isPromise", () => {
  it.each([undefined, null, false, 0, "then", {}])("is false of %j", (value) => {
    expect(isPromise(value)).toBe(false);
  });

  it("is true of a promise, and of what can be waited for like one", () => {
    expect(isPromise(Promise.resolve(1))).toBe(true);
    const name = "then";
    expect(isPromise<unknown>({ [name]: () => undefined })).toBe(true);
    expect(isPromise<unknown>({ [name]: "later" })).toBe(false);
  });
});

describe("whenKnown", () => {
  it("goes on at once with what is there, also with nothing", () => {
    expect(whenKnown(1, (value) => value + 1)).toBe(2);
    expect(whenKnown<undefined, string>(undefined, String)).toBe("undefined");
  });

  it("goes on later with what comes later", async () => {
    const outcome = whenKnown(Promise.resolve(1), (value) => value + 1);
    expect(isPromise(outcome)).toBe(true);
    expect(await outcome).toBe(2);
  });

  it("lets through what is thrown on either way", async () => {
    const fail = (): never => {
      throw new Error("no");
    };
    expect(() => whenKnown(1, fail)).toThrow("no");
    await expect(whenKnown(Promise.resolve(1), fail)).rejects.toThrow("no");
    await expect(whenKnown(Promise.reject(new Error("gone")), () => 1)).rejects.toThrow("gone");
  });
});
