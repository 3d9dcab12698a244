import { describe, expect, it } from "vitest";
import { hashHex, parseAlgorithm } from "./algorithm.ts";

describe("algorithm parameter", () => {
  it("is MD5 when left out, and told in any case", () => {
    expect(parseAlgorithm(undefined)).toBe("MD5");
    expect(parseAlgorithm("md5")).toBe("MD5");
    expect(parseAlgorithm("sha-256")).toBe("SHA-256");
    expect(parseAlgorithm("SHA-512-256")).toBe("SHA-512-256");
    expect(parseAlgorithm("MD5-sess")).toBe("MD5-sess");
    expect(parseAlgorithm("sha-512-256-SESS")).toBe("SHA-512-256-sess");
  });

  it.each(["", "FOO", "MD5-", "SHA-256-sessx", "MD5 ", "__proto__", "constructor", "AKAv1-MD5"])(
    "is none of ours: %j",
    (name) => {
      expect(parseAlgorithm(name)).toBeUndefined();
    },
  );
});

describe("hashing", () => {
  it("hashes UTF-8, and bytes as they are", () => {
    expect(hashHex("MD5", "é")).toBe("66ddcd97cfdeabb2f6fb8a999b4bc76f");
    expect(hashHex("MD5-sess", Buffer.from([0xc3, 0xa9]))).toBe("66ddcd97cfdeabb2f6fb8a999b4bc76f");
  });
});
