import { addressBlock, type Peer, type Request, readSipUri, unescapeUser } from "@sipkit/core";
import type { AuthClaim } from "./auth-guard.ts";
import { plainAddress } from "./plain-address.ts";

/** The longest Call-ID that a phone is known again by, in characters. */
const LONGEST_CALL_ID = 256;

/** Where a request comes from, under the names that it is remembered by. */
export interface Origin {
  /** The host: an IPv4 address, or the /64 of an IPv6 address. */
  readonly host: string;
  /** The connection, or the address and port. */
  readonly flow: string;
  /** The phone itself, by what only it knows: the Call-ID of its registrations. RFC 3261 §10.2 */
  readonly phone: string | undefined;
  /** The host with the user that From names; `undefined` where it names none. */
  readonly claim: string | undefined;
}

export function originOf(request: Request, { address, port, connection }: Peer): Origin {
  const plain = plainAddress(address);
  const host = addressBlock(plain);
  const flow = connection === undefined ? `${plain} ${port}` : `connection ${connection.id}`;
  const isPhone = request.method === "REGISTER" && request.callId.length <= LONGEST_CALL_ID;
  const claimed = claimedUser(request);
  return {
    host,
    flow,
    phone: isPhone ? `${host}\0phone\0${request.callId}` : undefined,
    claim: claimed === undefined ? undefined : `${host}\0claim\0${claimed}`,
  };
}

// A realm is the operator's own and an address the network's, so that what a stranger writes stands last.
export function userKey({ user, realm }: AuthClaim): string {
  return `${realm}\0${user}`;
}

export function pairKey(host: string, user: string): string {
  return `${host}\0pair\0${user}`;
}

function claimedUser(request: Request): string | undefined {
  const user = readSipUri(request.from.uri)?.user;
  return user === undefined ? undefined : unescapeUser(user);
}
