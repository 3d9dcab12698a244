import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Algorithm, hashHex, parseAlgorithm } from "./algorithm.ts";
import { digestResponse, ha1Of, ha2Of } from "./digest.ts";

interface Vector {
  readonly id: string;
  readonly source: string;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  readonly qop?: string;
  readonly nc?: string;
  readonly cnonce?: string;
  readonly algorithm?: string;
  readonly response: string;
  readonly ha1: string;
  readonly ha2: string;
  readonly known_bad?: boolean;
}

const { vectors } = JSON.parse(
  readFileSync(new URL("../../../test/vectors/digest/vectors.json", import.meta.url), "utf8"),
) as { readonly vectors: readonly Vector[] };

// auth-int and the -sess algorithms are neither offered nor computed.
const applying = vectors.flatMap((vector) => {
  const algorithm = parseAlgorithm(vector.algorithm);
  return algorithm === undefined || vector.qop === "auth-int" ? [] : [{ ...vector, algorithm }];
});

const responseTo = (vector: Vector & { readonly algorithm: Algorithm }): string =>
  digestResponse(
    ha1Of(vector.username, vector.realm, vector.password, vector.algorithm),
    ha2Of(vector.method, vector.uri, vector.algorithm),
    vector,
  );

describe("digest response, RFC 7616 §3.4.1", () => {
  it("has the vectors to be tested with", () => {
    expect(applying.length).toBeGreaterThan(20);
  });

  it.each(applying.filter((vector) => !vector.known_bad))("$id: $source", (vector) => {
    expect(ha1Of(vector.username, vector.realm, vector.password, vector.algorithm)).toBe(
      vector.ha1,
    );
    expect(responseTo(vector)).toBe(vector.response);
  });

  it.each(applying.filter((vector) => vector.known_bad))(
    "$id: not the value that was printed wrong",
    (vector) => {
      expect(responseTo(vector)).not.toBe(vector.response);
    },
  );
});

describe("algorithm parameter", () => {
  it("is MD5 when left out, and told in any case", () => {
    expect(parseAlgorithm(undefined)).toBe("MD5");
    expect(parseAlgorithm("md5")).toBe("MD5");
    expect(parseAlgorithm("sha-256")).toBe("SHA-256");
    expect(parseAlgorithm("SHA-512-256")).toBe("SHA-512-256");
  });

  it.each(["", "FOO", "MD5-sess", "SHA-256-sess", "MD5 ", "__proto__", "constructor", "AKAv1-MD5"])(
    "is none of ours: %j",
    (name) => {
      expect(parseAlgorithm(name)).toBeUndefined();
    },
  );
});

describe("hashing", () => {
  it("hashes UTF-8", () => {
    expect(hashHex("MD5", "é")).toBe("66ddcd97cfdeabb2f6fb8a999b4bc76f");
  });
});
