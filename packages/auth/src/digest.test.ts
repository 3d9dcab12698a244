import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Algorithm, hashHex, hashOf, parseAlgorithm } from "./algorithm.ts";
import { digestKey, digestResponse, ha1Of, ha2Of, userhashOf } from "./digest.ts";

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
  readonly body?: string;
  readonly response: string;
  readonly ha1: string;
  readonly ha2: string;
  readonly known_bad?: boolean;
  readonly username_on_wire?: string;
}

const { vectors: written } = JSON.parse(
  readFileSync(new URL("../../../test/vectors/digest/vectors.json", import.meta.url), "utf8"),
) as { readonly vectors: readonly Vector[] };

const vectors = written.map((vector) => {
  const algorithm = parseAlgorithm(vector.algorithm);
  if (algorithm === undefined) throw new Error(`${vector.id}: what algorithm is that?`);
  return { ...vector, algorithm };
});

type Computable = Vector & { readonly algorithm: Algorithm };

const keyOf = (vector: Computable): string => {
  const { username, realm, password, algorithm } = vector;
  return digestKey(ha1Of(username, realm, password, hashOf(algorithm)), vector);
};

const ha2For = ({ method, uri, algorithm, qop, body = "" }: Computable): string =>
  ha2Of(method, uri, algorithm, qop === "auth-int" ? Buffer.from(body) : undefined);

const responseTo = (vector: Computable): string =>
  digestResponse(keyOf(vector), ha2For(vector), vector);

describe("digest response, RFC 7616 §3.4.1", () => {
  it("has the vectors to be tested with", () => {
    expect(vectors.length).toBeGreaterThan(40);
  });

  it.each(vectors.filter((vector) => !vector.known_bad))("$id: $source", (vector) => {
    expect(keyOf(vector)).toBe(vector.ha1);
    expect(ha2For(vector)).toBe(vector.ha2);
    expect(responseTo(vector)).toBe(vector.response);
  });

  it.each(vectors.filter((vector) => vector.known_bad))(
    "$id: not the value that was printed wrong",
    (vector) => {
      expect(responseTo(vector)).not.toBe(vector.response);
    },
  );

  it.each(vectors.filter((vector) => vector.username_on_wire !== undefined))(
    "$id: the hash of the user's name",
    ({ username, realm, algorithm, username_on_wire, known_bad = false }) => {
      const isThat = userhashOf(username, realm, algorithm) === username_on_wire;
      expect(isThat).toBe(!known_bad);
    },
  );
});

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
