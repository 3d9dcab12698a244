const MAX_NAME = 253;
const LABELS = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
/** What `getaddrinfo` takes for an IPv4 address of fewer or stranger parts: `127.1`, `0x7f.1`, `2130706433`. */
const NUMERIC_END = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;

/** A host as questions name it: in lower case and without a final dot. */
export function canonicalName(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/**
 * Whether a canonical name may be asked for; the underscore is no part of host names, but of service names, and of names
 * that machines do have.
 *
 * RFC 1035 §2.3.1, §2.3.4; RFC 3261 §25.1 (`toplabel`)
 */
export function isName(name: string): boolean {
  return name.length <= MAX_NAME && LABELS.test(name) && !NUMERIC_END.test(name);
}

/** Whether nobody can have that name. RFC 2606 §2, RFC 7118 §5 */
export function isInvalidName(name: string): boolean {
  return name === "invalid" || name.endsWith(".invalid");
}

/** Whether a name means this machine, whoever is asked. RFC 6761 §6.3 */
export function isLocalhost(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost");
}

/** Whether a name has no dot: hosts files, search lists and container networks tell what it means, and no DNS server. */
export function isShortName(name: string): boolean {
  return !name.includes(".");
}
