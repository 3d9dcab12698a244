import { Reject, type Request } from "@sipkit/core";

/** Characters of what an application keeps with the bindings of a REGISTER, names and values together. */
const LONGEST_ATTRIBUTES = 1024;

/**
 * What an application keeps with the bindings of a REGISTER, such as the tenant or the edge that it came by; at most
 * 1,024 characters. What takes time to find out is found by a handler before the registrar, and left on the request.
 */
export type AttributesOf = (request: Request) => Readonly<Record<string, string>> | undefined;

/** Asks for what is to be kept; throws a `Reject` where that is too much. */
export function readAttributes(
  request: Request,
  attributesOf: AttributesOf,
): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(attributesOf(request) ?? {});
  if (entries.length === 0) return undefined;
  const length = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (length > LONGEST_ATTRIBUTES) throw new Reject(403, { reason: "Attributes Too Long" });
  return Object.fromEntries(entries);
}
