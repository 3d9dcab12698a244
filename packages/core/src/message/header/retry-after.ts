import { ParseError } from "../../errors.ts";
import { digitsOf, skipSpace } from "../chars.ts";
import type { HeaderField } from "../header-field.ts";
import { RETRY_AFTER } from "../header-names.ts";
import { knownField } from "./known-field.ts";
import { MAX_SECONDS } from "./seconds.ts";

/** The Retry-After header, in seconds; its comment and its parameters are left aside. RFC 3261 §20.33 */
export const retryAfter: HeaderField<number> = knownField(
  RETRY_AFTER,
  (text, start, end) => {
    const first = skipSpace(text, start, end);
    let last = first;
    while (last < end && digitsOf(text, last, last + 1, 9) >= 0) last++;
    const next = text.charCodeAt(skipSpace(text, last, end));
    const seconds = digitsOf(text, first, last, MAX_SECONDS);
    if (seconds < 0 || (skipSpace(text, last, end) < end && next !== 0x28 && next !== 0x3b)) {
      throw new ParseError("Malformed Retry-After", { header: "Retry-After", offset: first });
    }
    return seconds;
  },
  String,
);
