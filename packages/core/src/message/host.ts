import { isAddressCode, isHostCode } from "./chars.ts";

/** The end of the host that begins at `start`: a name, an IPv4 address or a bracketed IPv6 address; -1 for none. */
export function hostEnd(octets: Uint8Array, start: number, end: number): number {
  let i = start;
  if (octets[i] === 0x5b) {
    i++;
    while (i < end && isAddressCode(octets[i] ?? 0)) i++;
    return i < end && i > start + 2 && octets[i] === 0x5d ? i + 1 : -1;
  }
  while (i < end && isHostCode(octets[i] ?? 0)) i++;
  return i === start ? -1 : i;
}
