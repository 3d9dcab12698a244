import { readFileSync } from "node:fs";
import {
  authorization,
  proxyAuthenticate,
  proxyAuthorization,
  Request,
  Response,
  wwwAuthenticate,
} from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { type Algorithm, hashOf, parseAlgorithm } from "./algorithm.ts";
import { authorize } from "./authorize-request.ts";
import { digestKey, digestResponse, ha1Of, ha2Of, userhashOf } from "./digest.ts";
import { receivedCredentials } from "./received-credentials.ts";

interface Vector {
  readonly id: string;
  readonly source: string;
  readonly username: string;
  readonly realm: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly nonce: string;
  readonly opaque?: string;
  readonly qop?: string;
  readonly nc?: string;
  readonly cnonce?: string;
  readonly algorithm?: string;
  readonly body?: string;
  readonly response: string;
  readonly ha1: string;
  readonly ha2: string;
  readonly known_bad?: boolean;
  readonly userhash?: boolean;
  readonly username_on_wire?: string;
  readonly username_ext_on_wire?: string;
}

interface File {
  readonly vectors: readonly Vector[];
  readonly header_examples: readonly Readonly<Record<"source" | "header" | "value", string>>[];
}

const file = JSON.parse(
  readFileSync(new URL("../../../test/vectors/digest/vectors.json", import.meta.url), "utf8"),
) as File;

const vectors = file.vectors.map((vector) => {
  const known = parseAlgorithm(vector.algorithm);
  if (known === undefined) throw new Error(`${vector.id}: what algorithm is that?`);
  return { ...vector, known };
});
const right = vectors.filter((vector) => !vector.known_bad);
const misprinted = vectors.filter((vector) => vector.known_bad);
const named = vectors.filter((vector) => vector.username_on_wire !== undefined);

type Computable = Vector & { readonly known: Algorithm };

const requestOf = ({ method, uri, body = "" }: Vector): Request =>
  new Request(method, uri, { headers: { CSeq: `1 ${method}` }, body });

const keyOf = (vector: Computable): string => {
  const { username, realm, password, known, nonce, cnonce } = vector;
  const ha1 = ha1Of(username, realm, password, hashOf(known));
  return digestKey(ha1, { algorithm: known, nonce, cnonce });
};

const ha2For = ({ method, uri, known, qop, body = "" }: Computable): string =>
  ha2Of(method, uri, known, qop === "auth-int" ? Buffer.from(body) : undefined);

/** A vector's parameters, those that it has. */
const params = (vector: Vector, names: readonly (keyof Vector)[]): string =>
  names
    .filter((name) => vector[name] !== undefined)
    .map((name) => {
      const bare = ["algorithm", "nc"].includes(name);
      return bare ? `${name}=${vector[name]}` : `${name}="${vector[name]}"`;
    })
    .join(", ");

describe("digest, RFC 7616 §3.4.1, by the vectors", () => {
  it("has some", () => {
    expect(right.length).toBeGreaterThan(40);
  });

  it.each(right)("$id: $source", (vector) => {
    expect(keyOf(vector)).toBe(vector.ha1);
    expect(ha2For(vector)).toBe(vector.ha2);
    const input = { ...vector, algorithm: vector.known };
    expect(digestResponse(keyOf(vector), ha2For(vector), input)).toBe(vector.response);
  });

  it.each(misprinted)("$id: not the value that was printed wrong", (vector) => {
    const input = { ...vector, algorithm: vector.known };
    expect(digestResponse(keyOf(vector), ha2For(vector), input)).not.toBe(vector.response);
  });

  it.each(named)("$id: the hash of the user's name", (vector) => {
    const hashed = userhashOf(vector.username, vector.realm, vector.known);
    expect(hashed === vector.username_on_wire).toBe(!vector.known_bad);
  });
});

describe("a client, by the vectors", () => {
  it.each(right.filter(({ qop, known }) => qop !== undefined || !known.endsWith("-sess")))(
    "$id: answers $source",
    (vector) => {
      const hashed = vector.userhash === true ? ", userhash=true" : "";
      const challenge = params(vector, ["realm", "nonce", "opaque", "algorithm", "qop"]);
      const response = new Response(401, {
        headers: { "WWW-Authenticate": `Digest ${challenge}${hashed}` },
      });
      const request = requestOf(vector);
      const random = { bytes: () => new Uint8Array(), token: () => vector.cnonce ?? "" };
      const pair = [vector.username, vector.password] as const;
      expect(authorize(request, response, pair, { random })).toBe(true);
      const sent = request.headers.read(authorization)?.params;
      expect(sent?.get("response")).toBe(vector.response);
      expect(sent?.get("username")).toBe(vector.username_on_wire ?? vector.username);
      expect(sent?.get("opaque")).toBe(vector.opaque);
      expect(sent?.get("nc")).toBe(vector.nc);
    },
  );
});

describe("a server, by the vectors", () => {
  it.each(right)("$id: reads and computes $source", (vector) => {
    const names = [
      "realm",
      "nonce",
      "uri",
      "response",
      "algorithm",
      "qop",
      "nc",
      "cnonce",
    ] as const;
    const writings = [`username="${vector.username}"`];
    if (vector.username_on_wire) {
      writings.push(`username="${vector.username_on_wire}", userhash=true`);
    }
    if (vector.username_ext_on_wire) writings.push(`username*=${vector.username_ext_on_wire}`);
    for (const writing of writings) {
      const request = requestOf(vector);
      request.headers.set("Authorization", `Digest ${writing}, ${params(vector, names)}`);
      const wanted = { realm: vector.realm, offered: [vector.known], userhash: true };
      const credentials = receivedCredentials(request, authorization, wanted);
      const isHashed = writing.includes("userhash");
      expect(credentials).toMatchObject({
        user: isHashed ? vector.username_on_wire : vector.username,
        isHashed,
        response: vector.response,
      });
      if (credentials === undefined) continue;
      const { username, realm, password, known } = vector;
      const key = digestKey(ha1Of(username, realm, password, hashOf(known)), credentials);
      const body = credentials.qop === "auth-int" ? request.body : undefined;
      const ha2 = ha2Of(request.method, credentials.uri, known, body);
      expect(digestResponse(key, ha2, credentials)).toBe(vector.response);
    }
  });

  it.each(["UTF-8''%zz", "UTF-8''%ff", "ISO-8859-1''a", "alice", "UTF-8''a b", "''a"])(
    "reads no such extended name: %s",
    (name) => {
      const request = requestOf(right[0] as Vector);
      request.headers.set("Authorization", `Digest username*="${name}", realm="r"`);
      const wanted = { realm: "r", offered: ["MD5"], userhash: false } as const;
      expect(() => receivedCredentials(request, authorization, wanted)).toThrow("username*");
    },
  );
});

describe("headers as RFCs print them", () => {
  const fields = [authorization, proxyAuthorization, proxyAuthenticate, wwwAuthenticate];

  it.each(file.header_examples)("$source", ({ header, value }) => {
    const field = fields.find(({ name }) => name === header);
    const parsed = field?.parse(value);
    expect(parsed?.scheme).toBe(value.split(" ", 1)[0]);
    for (const [, name = "", written] of value.matchAll(/([\w-]+)="([^"]*)"/g)) {
      expect(parsed?.params.get(name)).toBe(written);
    }
  });
});
