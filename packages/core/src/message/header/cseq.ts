import { ParseError } from "../../errors.ts";
import { digitsOf, isToken, skipSpace, trimSpace } from "../chars.ts";
import type { HeaderField } from "../header-field.ts";
import { CSEQ } from "../header-names.ts";
import type { Method } from "../method.ts";
import { isDigit } from "../uri.ts";
import { knownField } from "./known-field.ts";

/** The place of a request in its dialog or registration. */
export interface CSeq {
  /** Below 2³¹. */
  readonly number: number;
  readonly method: Method;
}

const MAX_CSEQ = 2147483647;

function malformed(offset: number): ParseError {
  return new ParseError("Malformed CSeq", { header: "CSeq", offset });
}

function scanCseq(text: string, start: number, end: number): CSeq {
  const first = skipSpace(text, start, end);
  let digits = first;
  while (digits < end && isDigit(text.charCodeAt(digits))) digits++;
  // §8.1.1.5: below 2³¹.
  const number = digitsOf(text, first, digits, MAX_CSEQ);
  const method = skipSpace(text, digits, end);
  const last = trimSpace(text, method, end);
  if (number < 0 || method === digits || !isToken(text, method, last)) throw malformed(first);
  return { number, method: text.slice(method, last) };
}

/** The CSeq header. RFC 3261 §20.16 */
export const cseq: HeaderField<CSeq> = knownField(
  CSEQ,
  scanCseq,
  (value) => `${value.number} ${value.method}`,
);
