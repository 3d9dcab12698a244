import { SipError } from "../errors.ts";

/** Each is tried on what the others didn't make. */
const MAX_SECRETS = 8;

/** Keys of a server: the first makes what all of them know again, so that keys change without anything breaking. */
export type SecretRing = readonly [
  current: string | Uint8Array,
  ...earlier: (string | Uint8Array)[],
];

/** The ring of one secret or several. Throws `SIP_BAD_OPTION` for none, an empty one, or more than 8. */
export function secretRing(
  given: string | Uint8Array | readonly (string | Uint8Array)[],
): SecretRing {
  const secrets = typeof given === "string" || given instanceof Uint8Array ? [given] : given;
  const [current, ...earlier] = secrets;
  const areGood = secrets.every(({ length }) => length > 0) && secrets.length <= MAX_SECRETS;
  if (current !== undefined && areGood) return [current, ...earlier];
  throw new SipError("SIP_BAD_OPTION", `secret must not be empty, and ${MAX_SECRETS} at most`);
}
