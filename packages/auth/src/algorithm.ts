import { hash } from "node:crypto";

/**
 * A hash function of digests: what HA1s are made with.
 *
 * RFC 8760 §2.2, RFC 7616 §3.2
 */
export type HashAlgorithm = "MD5" | "SHA-256" | "SHA-512-256";

/**
 * The algorithm of a digest: a hash function, or its session form, which is computed over a key that changes with the
 * nonce.
 *
 * RFC 8760 §2.2, RFC 7616 §3.4.2
 */
export type Algorithm = HashAlgorithm | `${HashAlgorithm}-sess`;

interface Properties {
  readonly hash: HashAlgorithm;
  /** What OpenSSL calls the hash function. */
  readonly openssl: string;
  /** The digest's length in hex digits. */
  readonly digits: number;
}

const MD5: Properties = { hash: "MD5", openssl: "md5", digits: 32 };
const SHA_256: Properties = { hash: "SHA-256", openssl: "sha256", digits: 64 };
const SHA_512_256: Properties = { hash: "SHA-512-256", openssl: "sha512-256", digits: 64 };

const properties: Readonly<Record<Algorithm, Properties>> = {
  "SHA-512-256": SHA_512_256,
  "SHA-512-256-sess": SHA_512_256,
  "SHA-256": SHA_256,
  "SHA-256-sess": SHA_256,
  MD5,
  "MD5-sess": MD5,
};

/** Every algorithm that can be computed here, strongest first. */
export const algorithms: readonly Algorithm[] = Object.keys(properties) as Algorithm[];

/** The hash functions alone. */
export const hashAlgorithms: readonly HashAlgorithm[] = ["SHA-512-256", "SHA-256", "MD5"];

const byName: ReadonlyMap<string, Algorithm> = new Map(
  algorithms.map((algorithm) => [algorithm.toLowerCase(), algorithm]),
);

/**
 * The algorithm of an `algorithm` parameter, in any case; one that is left out is MD5. `undefined`: not one of ours.
 *
 * RFC 7616 §3.3
 */
export function parseAlgorithm(name: string | undefined): Algorithm | undefined {
  if (name === undefined || name === "MD5") return "MD5";
  return byName.get(name.toLowerCase());
}

/** The hash function of an algorithm. */
export function hashOf(algorithm: Algorithm): HashAlgorithm {
  return properties[algorithm].hash;
}

/** Whether it is a session form. */
export function isSession(algorithm: Algorithm): boolean {
  return properties[algorithm].hash !== algorithm;
}

/** The lower-case hex digest of bytes, or of a text's UTF-8 bytes. */
export function hashHex(algorithm: Algorithm, data: string | Uint8Array): string {
  return hash(properties[algorithm].openssl, data, "hex");
}

/** How many hex digits a digest has. */
export function digitsOf(algorithm: Algorithm): number {
  return properties[algorithm].digits;
}

/** Whether a text has the form of a digest of that algorithm: hex digits in any case, as many as it has. */
export function isDigest(algorithm: Algorithm, text: string): boolean {
  return text.length === properties[algorithm].digits && /^[0-9a-f]+$/i.test(text);
}
