import type { Params } from "./params.ts";
import { parseUri, type SipUri, type Uri } from "./uri.ts";

/**
 * Whether two URIs are the same. SIP and SIPS by the rules of RFC 3261, which are not transitive; others when they are
 * written the same, their scheme apart. Text that is no URI equals only the very same text.
 *
 * RFC 3261 §19.1.4
 */
export function uriEquals(a: string | Uri, b: string | Uri): boolean {
  if (a === b) return true;
  const left = uriOf(a);
  const right = uriOf(b);
  if (left === undefined || right === undefined) return false;
  if ("host" in left) return "host" in right && sipUriEquals(left, right);
  if ("number" in left) {
    return (
      "number" in right &&
      left.number.replace(/[-.()]/g, "") === right.number.replace(/[-.()]/g, "") &&
      sameParams(left.params, right.params, () => true)
    );
  }
  if (!("text" in right) || left.scheme !== right.scheme) return false;
  return left.text.slice(left.scheme.length) === right.text.slice(right.scheme.length);
}

function uriOf(uri: string | Uri): Uri | undefined {
  if (typeof uri !== "string") return uri;
  try {
    return parseUri(uri);
  } catch {
    return undefined;
  }
}

/**
 * These never match when only one URI has them, even with their default value; all others are ignored then. The list of
 * rules leaves transport out, the sentence on default values and the examples don't.
 */
const ALWAYS_COMPARED = new Set(["user", "ttl", "method", "maddr", "transport"]);

function sipUriEquals(a: SipUri, b: SipUri): boolean {
  return (
    a.scheme === b.scheme &&
    sameText(a.user, b.user) &&
    sameText(a.password, b.password) &&
    canonical(a.host).toLowerCase() === canonical(b.host).toLowerCase() &&
    a.port === b.port &&
    sameParams(a.params, b.params, (name) => ALWAYS_COMPARED.has(name)) &&
    sameHeaders(a.headers, b.headers)
  );
}

function sameText(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a === b || canonical(a) === canonical(b);
}

function mapOf(params: Params): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of params) {
    const key = canonical(name).toLowerCase();
    if (!map.has(key)) map.set(key, canonical(value ?? "").toLowerCase());
  }
  return map;
}

function sameParams(a: Params, b: Params, mustBeInBoth: (name: string) => boolean): boolean {
  const left = mapOf(a);
  const right = mapOf(b);
  for (const [name, value] of left) {
    const other = right.get(name);
    if (other === undefined ? mustBeInBoth(name) : other !== value) return false;
  }
  for (const name of right.keys()) {
    if (!left.has(name) && mustBeInBoth(name)) return false;
  }
  return true;
}

/**
 * Header components are never ignored. Names are compared without case, values as they are: every header's own rule
 * (§20) would be needed to do more.
 */
function sameHeaders(a: string, b: string): boolean {
  return a === b || headerSet(a) === headerSet(b);
}

function headerSet(headers: string): string {
  const pairs = headers === "" ? [] : headers.split("&");
  return pairs
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals < 0 ? pair : pair.slice(0, equals);
      return `${canonical(name).toLowerCase()}=${equals < 0 ? "" : canonical(pair.slice(equals + 1))}`;
    })
    .sort()
    .join("&");
}

/** RFC 2396's reserved set: an escape of one of these is not the character itself. */
const RESERVED = ";/?:@&=+$,";

/** A text whose escapes of characters outside the reserved set are taken off, and whose others are in capitals. */
function canonical(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (written, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return RESERVED.includes(char) || char === "%" ? written.toUpperCase() : char;
  });
}
