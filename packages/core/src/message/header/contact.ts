import { ParseError } from "../../errors.ts";
import type { HeaderField } from "../header-field.ts";
import { CONTACT } from "../header-names.ts";
import { formatNameAddr, type NameAddr, scanAddress } from "../name-addr.ts";
import { skipSpace, trimSpace } from "../octets.ts";
import { Params } from "../params.ts";
import type { Wire } from "../wire.ts";
import { knownField } from "./known-field.ts";

/** One contact. RFC 3261 §20.10 */
export interface ContactValue extends NameAddr {
  /** Preference, 0 to 1. */
  readonly q: number | undefined;
  /** As written: a registrar takes a malformed one for 3600. RFC 3261 §10.2.1.1 */
  readonly expires: string | undefined;
}

const QVALUE = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;

const STAR = 0x2a;
const PICKED = ["tag", "q", "expires"];

function scanContact(wire: Wire, start: number, end: number): ContactValue | "*" {
  const first = skipSpace(wire.octets, start, end);
  if (wire.octets[first] === STAR && trimSpace(wire.octets, first, end) === first + 1) return "*";
  const { displayName, uri, params, picked } = scanAddress(wire, first, end, "Contact", PICKED);
  const [tag, q, expires] = picked;
  return {
    displayName,
    uri,
    params,
    tag,
    q: q === undefined ? undefined : qvalue(q, first),
    expires,
  };
}

function qvalue(text: string, offset: number): number {
  if (QVALUE.test(text)) return Number(text);
  throw new ParseError("Malformed Contact: q", { header: "Contact", offset });
}

/** Of `q` and `expires` and the parameters of that name, the former count. */
function formatContact(value: ContactValue | "*"): string {
  if (value === "*") return "*";
  let params = value.params ?? Params.empty;
  if (value.q !== undefined && Number(params.get("q")) !== value.q) {
    params = params.with("q", String(Number(value.q.toFixed(3))));
  }
  if (value.expires !== undefined && params.get("expires") !== value.expires) {
    params = params.with("expires", value.expires);
  }
  return formatNameAddr({ ...value, params });
}

/** The Contact header: where a user agent is reached, or `*` for all of its bindings. RFC 3261 §20.10 */
export const contact: HeaderField<ContactValue | "*"> = knownField(
  CONTACT,
  scanContact,
  formatContact,
);
