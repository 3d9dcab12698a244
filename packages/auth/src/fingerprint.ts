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
  const digest = hash("sha256", `${key} ${source}\n${request.toWire()}`, "hex");
  return {
    high: Number.parseInt(digest.slice(0, 8), 16),
    low: Number.parseInt(digest.slice(8, 16), 16),
  };
}
