import { ParseError } from "../../errors.ts";
import type { HeaderField } from "../header-field.ts";
import { RETRY_AFTER } from "../header-names.ts";
import { digitsEnd, digitsOf, skipSpace } from "../octets.ts";
import { knownField } from "./known-field.ts";
import { MAX_SECONDS } from "./seconds.ts";

/** The Retry-After header, in seconds; its comment and its parameters are left aside. RFC 3261 §20.33 */
export const retryAfter: HeaderField<number> = knownField(
  RETRY_AFTER,
  ({ octets }, start, end) => {
    const first = skipSpace(octets, start, end);
    const last = digitsEnd(octets, first, end);
    const seconds = digitsOf(octets, first, last, MAX_SECONDS);
    const rest = skipSpace(octets, last, end);
    if (seconds < 0 || (rest < end && octets[rest] !== 0x28 && octets[rest] !== 0x3b)) {
      throw new ParseError("Malformed Retry-After", { header: "Retry-After", offset: first });
    }
    return seconds;
  },
  String,
);
