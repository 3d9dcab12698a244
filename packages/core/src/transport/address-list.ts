import { BlockList, isIP } from "node:net";
import { SipError } from "../errors.ts";
import { bareHost } from "./host-port.ts";

/** Addresses and blocks of them, as options list them: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. */
export class AddressList {
  readonly #blocks = new BlockList();
  readonly #isEmpty: boolean;

  /** Throws `SIP_BAD_OPTION` for what is neither; `name` is the option's. */
  constructor(name: string, entries: readonly string[]) {
    this.#isEmpty = entries.length === 0;
    for (const entry of entries) this.#add(name, entry);
  }

  /** Whether an address is one of these; an IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`) is what it is. */
  has(address: string): boolean {
    if (this.#isEmpty) return false;
    const bare = bareHost(address);
    return this.#blocks.check(bare, bare.includes(":") ? "ipv6" : "ipv4");
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
  }
}
