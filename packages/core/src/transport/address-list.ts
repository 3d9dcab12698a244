import { BlockList, isIP } from "node:net";
import { SipError } from "../errors.ts";
import { bareHost } from "./host-port.ts";

/** A block of IPv4 addresses. */
interface Block {
  readonly mask: number;
  readonly bits: number;
}

/** Addresses and blocks of them, as options list them: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. */
export class AddressList {
  readonly #isEmpty: boolean;
  /** All of them, for IPv6 addresses: those that are IPv4 ones, too. */
  readonly #blocks = new BlockList();
  /** The IPv4 ones once more: most packets come from such an address, and Node's own list takes microseconds. */
  readonly #short: Block[] = [];

  /** Throws `SIP_BAD_OPTION` for what is neither; `name` is the option's. */
  constructor(name: string, entries: readonly string[]) {
    this.#isEmpty = entries.length === 0;
    for (const entry of entries) this.#add(name, entry);
  }

  /** Whether an address is one of these; an IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) is what it is. */
  has(address: string): boolean {
    if (this.#isEmpty) return false;
    if (address.includes(":")) return this.#blocks.check(bareHost(address), "ipv6");
    const bits = bitsOf(address);
    for (const block of this.#short) {
      if ((bits & block.mask) === block.bits) return true;
    }
    return false;
  }

  #add(name: string, entry: string): void {
    const [address = "", width, ...more] = entry.split("/");
    const version = isIP(address);
    const longest = version === 6 ? 128 : 32;
    const prefix = width === undefined ? longest : Number(width);
    const isGood = version !== 0 && more.length === 0 && /^\d{1,3}$/.test(width ?? "0");
    if (!isGood || prefix > longest) {
      throw new SipError(
        "SIP_BAD_OPTION",
        `${name} must hold IP addresses, and blocks of them as 192.0.2.0/24: ${JSON.stringify(entry)}`,
      );
    }
    this.#blocks.addSubnet(address, prefix, version === 6 ? "ipv6" : "ipv4");
    if (version === 6) return;
    const mask = prefix === 0 ? 0 : -1 << (32 - prefix);
    this.#short.push({ mask, bits: bitsOf(address) & mask });
  }
}

/** An IPv4 address as 32 bits. */
function bitsOf(address: string): number {
  let bits = 0;
  let octet = 0;
  for (let at = 0; at < address.length; at += 1) {
    const digit = address.charCodeAt(at) - 48;
    if (digit >= 0) octet = octet * 10 + digit;
    else {
      bits = (bits << 8) | octet;
      octet = 0;
    }
  }
  return (bits << 8) | octet;
}
