import { ParseError } from "../../errors.ts";
import { isToken, skipSpace, trimSpace } from "../chars.ts";
import type { HeaderField } from "../header-field.ts";
import { CONTENT_TYPE } from "../header-names.ts";
import { checkParams, Params } from "../params.ts";
import { knownField } from "./known-field.ts";

/** A media type. */
export interface MediaType {
  /** In lower case, as `application/sdp`. */
  readonly type: string;
  readonly params: Params;
}

function scanContentType(text: string, start: number, end: number): MediaType {
  const first = skipSpace(text, start, end);
  const last = trimSpace(text, first, end);
  const semicolon = text.indexOf(";", first);
  const params = semicolon < 0 || semicolon >= last ? last : semicolon;
  const [type = "", subtype = "", ...rest] = text.slice(first, params).split("/");
  if (!isToken(type.trim()) || !isToken(subtype.trim()) || rest.length > 0) {
    throw new ParseError("Malformed Content-Type", { header: "Content-Type", offset: first });
  }
  checkParams(text, params, last, "Content-Type");
  return {
    type: `${type.trim()}/${subtype.trim()}`.toLowerCase(),
    params: params === last ? Params.empty : new Params(text.slice(params, last)),
  };
}

/** The Content-Type header: what the body is. RFC 3261 §20.15 */
export const contentType: HeaderField<MediaType> = knownField(
  CONTENT_TYPE,
  scanContentType,
  (value) => `${value.type}${value.params}`,
);
