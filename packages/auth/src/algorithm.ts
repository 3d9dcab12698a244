import { hash } from "node:crypto";

/**
 * The hash of a digest.
 *
 * RFC 8760 §2.2, RFC 7616 §3.2
 */
export type Algorithm = "MD5" | "SHA-256" | "SHA-512-256";

interface Properties {
  /** What OpenSSL calls it. */
  readonly hash: string;
  /** Its digest's length in hex digits. */
  readonly digits: number;
}

const properties: Readonly<Record<Algorithm, Properties>> = {
  MD5: { hash: "md5", digits: 32 },
  "SHA-256": { hash: "sha256", digits: 64 },
  "SHA-512-256": { hash: "sha512-256", digits: 64 },
};

/** Every algorithm that can be computed here, strongest first. */
export const algorithms: readonly Algorithm[] = ["SHA-512-256", "SHA-256", "MD5"];

/**
 * The algorithm of an `algorithm` parameter, in any case; one that is left out is MD5. `undefined`: not one of ours.
 *
 * RFC 7616 §3.3
 */
export function parseAlgorithm(name: string | undefined): Algorithm | undefined {
  if (name === undefined || name === "MD5") return "MD5";
  const upper = name.toUpperCase();
  return algorithms.find((algorithm) => algorithm === upper);
}

/** The lower-case hex digest of a text's UTF-8 bytes. */
export function hashHex(algorithm: Algorithm, text: string): string {
  return hash(properties[algorithm].hash, text, "hex");
}

/** How many hex digits a digest has. */
export function digitsOf(algorithm: Algorithm): number {
  return properties[algorithm].digits;
}

/** Whether a text has the form of a digest of that algorithm: hex digits in any case, as many as it has. */
export function isDigest(algorithm: Algorithm, text: string): boolean {
  return text.length === properties[algorithm].digits && /^[0-9a-f]+$/i.test(text);
}
