import { type Headers, Params, ParseError } from "@sipkit/core";

/** The event package. RFC 3680 §4.1 */
export const PACKAGE = "reg";

const TOKEN = /^[\w.!%*+`'~-]+$/;

/** Whether a request asks for the package, alone or among others. Names are compared byte by byte. RFC 6665 §8.2.1 */
export function asksForReg(headers: Headers): boolean {
  return headers.getAll("event").some((value) => value.slice(0, typeEnd(value)).trim() === PACKAGE);
}

/**
 * The Event header of the NOTIFYs to a SUBSCRIBE that asks for the package: with its `id`, and no other parameter. Throws
 * a `ParseError` where it has more than one, or an `id` that is no token.
 *
 * RFC 6665 §8.2.1, §4.5.2
 */
export function eventOf(headers: Headers): string {
  const [value = "", ...more] = headers.getAll("event");
  const id = new Params(value, typeEnd(value)).get("id");
  if (more.length > 0 || (id !== undefined && !TOKEN.test(id))) {
    throw new ParseError("Malformed Event", { header: "Event" });
  }
  return id === undefined ? PACKAGE : `${PACKAGE};id=${id}`;
}

function typeEnd(value: string): number {
  const semicolon = value.indexOf(";");
  return semicolon < 0 ? value.length : semicolon;
}
