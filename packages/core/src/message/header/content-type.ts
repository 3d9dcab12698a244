import { ParseError } from "../../errors.ts";
import type { HeaderField } from "../header-field.ts";
import { CONTENT_TYPE } from "../header-names.ts";
import { skipSpace, tokenEnd, trimSpace } from "../octets.ts";
import { checkParams, Params } from "../params.ts";
import type { Wire } from "../wire.ts";
import { knownField } from "./known-field.ts";

const SLASH = 0x2f;

/** A media type. */
export interface MediaType {
  /** In lower case, as `application/sdp`. */
  readonly type: string;
  readonly params: Params;
}

function scanContentType(wire: Wire, start: number, end: number): MediaType {
  const { text, octets } = wire;
  const first = skipSpace(octets, start, end);
  const slash = skipSpace(octets, tokenEnd(octets, first, end), end);
  const subtype = skipSpace(octets, slash + 1, end);
  const stop = tokenEnd(octets, subtype, end);
  if (slash === first || octets[slash] !== SLASH || stop <= subtype) {
    throw new ParseError("Malformed Content-Type", { header: "Content-Type", offset: first });
  }
  const params = skipSpace(octets, stop, end);
  checkParams(wire, params, end, "Content-Type");
  const type = text.slice(first, trimSpace(octets, first, slash));
  return {
    type: `${type}/${text.slice(subtype, stop)}`.toLowerCase(),
    params:
      params === end ? Params.empty : new Params(wire, params, trimSpace(octets, params, end)),
  };
}

/** The Content-Type header: what the body is. RFC 3261 §20.15 */
export const contentType: HeaderField<MediaType> = knownField(
  CONTENT_TYPE,
  scanContentType,
  (value) => `${value.type}${value.params}`,
);
