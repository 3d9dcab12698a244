import { hash } from "node:crypto";
import type { Request } from "@sipkit/core";
import type { Fingerprint } from "./nonce-table.ts";

/**
 * A keyed hash over a request's every byte and where it came from. Two requests have the same only when one is the
 * other's retransmission: nobody without the key can look for a second that matches.
 */
export function fingerprintOf(request: Request, key: string): Fingerprint {
  const from = request.arrival?.from;
  const source = from === undefined ? "" : `${from.protocol} ${from.address} ${from.port}`;
  const digest = hash("sha256", `${key} ${source}\n${request.toWire()}`, "binary");
  return { high: word(digest, 0), low: word(digest, 4) };
}

function word(bytes: string, at: number): number {
  return (
    (bytes.charCodeAt(at) << 24) |
    (bytes.charCodeAt(at + 1) << 16) |
    (bytes.charCodeAt(at + 2) << 8) |
    bytes.charCodeAt(at + 3)
  );
}
