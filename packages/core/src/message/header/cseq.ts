import { ParseError } from "../../errors.ts";
import type { HeaderField } from "../header-field.ts";
import { CSEQ } from "../header-names.ts";
import { isDefinedMethod, type Method } from "../method.ts";
import { digitsEnd, digitsOf, isPart, isToken, skipSpace, trimSpace } from "../octets.ts";
import type { Wire } from "../wire.ts";
import { knownField } from "./known-field.ts";

/** The place of a request in its dialog or registration. */
export interface CSeq {
  /** Below 2³¹. */
  readonly number: number;
  readonly method: Method;
}

const MAX_CSEQ = 2147483647;

function malformed(what: string, offset: number): ParseError {
  return new ParseError(`Malformed CSeq: ${what}`, { header: "CSeq", offset });
}

/** Where the method of a CSeq begins whose digits end at `digits`. The number is checked. RFC 3261 §8.1.1.5 */
function methodStart(octets: Uint8Array, digits: number, end: number, number: number): number {
  if (number < 0) throw malformed("its number", digits);
  const method = skipSpace(octets, digits, end);
  if (method === digits || method === end) throw malformed("its method", digits);
  return method;
}

/**
 * Reads the CSeq of a request: its method must be the request's. Throws a `ParseError`, of status 501 where the method
 * is one that nobody knows.
 *
 * RFC 3261 §8.1.1.5, RFC 4475 §3.1.2.17, §3.1.2.18
 */
export function cseqOf(octets: Uint8Array, start: number, end: number, method: string): CSeq {
  const digits = digitsEnd(octets, start, end);
  const number = digitsOf(octets, start, digits, MAX_CSEQ);
  const first = methodStart(octets, digits, end, number);
  if (isPart(octets, first, end, method)) return { number, method };
  throw new ParseError("CSeq method differs from the request's", {
    header: "CSeq",
    offset: first,
    status: isDefinedMethod(method) ? 400 : 501,
  });
}

function scanCseq({ text, octets }: Wire, start: number, end: number): CSeq {
  const first = skipSpace(octets, start, end);
  const digits = digitsEnd(octets, first, end);
  const number = digitsOf(octets, first, digits, MAX_CSEQ);
  const method = methodStart(octets, digits, end, number);
  const last = trimSpace(octets, method, end);
  if (!isToken(octets, method, last)) throw malformed("its method", method);
  return { number, method: text.slice(method, last) };
}

/** The CSeq header. RFC 3261 §20.16 */
export const cseq: HeaderField<CSeq> = knownField(
  CSEQ,
  scanCseq,
  (value) => `${value.number} ${value.method}`,
);
