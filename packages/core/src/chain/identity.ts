import { type PacketKey, packetKey } from "../message/packet-key.ts";

/** Who sent a request, as an authenticator proved it. */
export interface Identity {
  readonly user: string;
  readonly realm: string;
  /** The address-of-record that the user speaks for by default: `sip:user@realm`. */
  readonly addressOfRecord: string;
  /** How it was proved, as "digest MD5". */
  readonly scheme: string;
  /** When, in milliseconds since 1970; left out where it holds for as long as a peer is what it is. */
  readonly at?: number;
}

/** Set by an authenticator (`@sipkit/auth` does); a proxy forwards outward only for a request that has it. */
export const identity: PacketKey<Identity> = packetKey("identity");
