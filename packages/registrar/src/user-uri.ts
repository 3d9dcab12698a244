/** What a user part may have without an escape. RFC 3261 §25.1 */
const ESCAPED = /[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu;

/**
 * A canonical address-of-record as a URI: its user escaped where a URI wants that. For `query` and `remove`, which take
 * URIs as messages write them.
 *
 * @example
 * userUri("sip:a b@example.com"); // "sip:a%20b@example.com"
 */
export function userUri(addressOfRecord: string): string {
  const at = addressOfRecord.lastIndexOf("@");
  const user = addressOfRecord.slice("sip:".length, at);
  const escaped = user.replace(ESCAPED, (character) =>
    Buffer.from(character).toString("hex").toUpperCase().replace(/../g, "%$&"),
  );
  return `sip:${escaped}${addressOfRecord.slice(at)}`;
}
