import {
  AddressList,
  type Handler,
  type Identity,
  identity,
  type Leg,
  type Packet,
  type PacketKey,
  type Peer,
  packetKey,
  SipError,
} from "@sipkit/core";

/** A peer that is trusted for what it is: by address, by certificate, or by both where both are given. */
export interface TrustedPeer {
  /** How it is called: the user of its `identity`. */
  readonly name: string;
  /** IP addresses, and blocks as `192.0.2.0/24`. Over UDP anybody can write another's as his own: filter at the edge. */
  readonly addresses?: readonly string[];
  /** Names, one of which its certificate must prove: a tls or wss leg asks for one (`clientCertificate`). RFC 5922 §7.1 */
  readonly identities?: readonly string[];
  /** What it may send without a digest. Default: every method but REGISTER. */
  readonly methods?: readonly string[];
}

/** Set on a request of a trusted peer's, of a method that it may send: authenticators don't challenge it. */
export const trustedPeer: PacketKey<TrustedPeer> = packetKey("trusted peer");

interface Entry {
  readonly peer: TrustedPeer;
  readonly addresses: AddressList | undefined;
  readonly identities: ReadonlySet<string> | undefined;
  readonly methods: ReadonlySet<string> | undefined;
  readonly identity: Identity;
}

/**
 * Knows gateways and other servers by where they connect from or by their certificate, and never by a header: their
 * requests get an `identity` and aren't challenged. Stands before `Throttle` and `Authorize`. Who comes from a trusted
 * address with a method that isn't on its list is asked like everybody else.
 *
 * @example
 * const trusted = new TrustedPeers([
 *   { name: "pstn", addresses: ["192.0.2.8"], methods: ["INVITE", "OPTIONS"] },
 *   { name: "partner", identities: ["sip.partner.example"] },
 * ]);
 */
export class TrustedPeers implements Handler {
  readonly name = "TrustedPeers";
  readonly #entries: readonly Entry[];

  /** Throws `SIP_BAD_OPTION`. */
  constructor(peers: readonly TrustedPeer[]) {
    this.#entries = peers.map(entryOf);
  }

  receive(packet: Packet, _leg: Leg, from: Peer): undefined {
    if (!packet.isRequest) return;
    const { method } = packet;
    const entry = this.#entries.find(
      (one) => isPeer(one, from.address, provedBy(from)) && mayItself(one, method),
    );
    if (entry === undefined) return;
    packet.set(trustedPeer, entry.peer);
    packet.set(identity, entry.identity);
  }

  /** Whether a peer is one of these, whatever it sends. */
  has(peer: Peer): boolean {
    return this.#entries.some((entry) => isPeer(entry, peer.address, provedBy(peer)));
  }

  /** As {@link has} for where something is sent: a connection that opens only for a domain's certificate counts, too. */
  reachedAt(to: Peer): boolean {
    const { protocol, domain, connection } = to;
    const isSecure = protocol === "tls" || protocol === "wss";
    // RFC 5922 §7.3: it isn't sent where the certificate proves another domain.
    const names = isSecure && domain !== undefined && connection?.identities === undefined;
    return this.#entries.some((entry) =>
      isPeer(entry, to.address, names ? [domain.toLowerCase()] : provedBy(to)),
    );
  }
}

function entryOf(peer: TrustedPeer): Entry {
  const { name, addresses, identities, methods } = peer;
  if (name === "" || (addresses ?? identities) === undefined) {
    throw new SipError("SIP_BAD_OPTION", "a trusted peer has a name, and addresses or identities");
  }
  const domain = identities?.[0] ?? "invalid";
  return {
    peer,
    addresses: addresses && new AddressList(`addresses of ${name}`, addresses),
    identities: identities && new Set(identities.map((one) => one.toLowerCase())),
    methods: methods && new Set(methods),
    identity: {
      user: name,
      realm: "",
      addressOfRecord: `sip:${name}@${domain}`,
      scheme: identities === undefined ? "address" : "certificate",
    },
  };
}

function isPeer(
  { addresses, identities }: Entry,
  address: string,
  proved: readonly string[],
): boolean {
  if (addresses !== undefined && !addresses.has(address)) return false;
  return identities === undefined || proved.some((name) => identities.has(name));
}

function provedBy({ connection }: Peer): readonly string[] {
  return connection?.identities ?? [];
}

function mayItself({ methods }: Entry, method: string): boolean {
  return methods === undefined ? method !== "REGISTER" : methods.has(method);
}
