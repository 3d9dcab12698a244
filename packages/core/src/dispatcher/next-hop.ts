import type { Leg, Peer, Protocol } from "../arrival.ts";
import type { Target } from "../chain/targets.ts";
import { TransportError } from "../errors.ts";
import { route } from "../message/header/route.ts";
import type { Request } from "../message/request.ts";
import { parseSipUri } from "../message/uri.ts";
import type { NextHop, ResolveOptions, Resolver } from "../resolve/resolver.ts";
import { chooseLeg } from "../transport/choose-leg.ts";
import { addressFamily } from "../transport/host-port.ts";
import type { TransportLeg } from "../transport/leg.ts";
import type { Flows } from "./flows.ts";
import type { HopCheck } from "./hop-check.ts";
import type { OutgoingProxies } from "./outgoing-proxies.ts";
import type { SetAside } from "./set-aside.ts";
import type { Way } from "./way.ts";

/** What a caller may say about where a request goes. */
export interface Direction {
  readonly target?: Target;
  readonly leg?: Leg;
  readonly to?: Peer | string;
}

/** What next hops are found by. */
export interface NextHopsOptions {
  readonly legs: readonly TransportLeg[];
  readonly flows: Flows;
  readonly resolver: Resolver;
  readonly setAside: SetAside;
  readonly proxies: OutgoingProxies;
  readonly check: HopCheck;
}

/** Who looks for places. */
interface Seeker {
  readonly request: Request;
  /** The leg that it has to go by. */
  readonly leg: Leg | undefined;
  /** Whether the request, or what DNS makes of it, has chosen the place, and not this server. */
  readonly isChosen: boolean;
}

/** One place, and whether what is too large for UDP may go there by TCP. */
interface Candidate {
  readonly hop: NextHop;
  readonly mayGoByTcp: boolean;
}

/**
 * Finds where a request goes: where it was told to, else its target's flow, else its top Route, else the proxy that is
 * set for its request-URI, else that itself.
 *
 * RFC 3261 §8.1.2, §16.6 item 7; RFC 3263
 */
export class NextHops {
  readonly #legs: readonly TransportLeg[];
  readonly #flows: Flows;
  readonly #resolver: Resolver;
  readonly #setAside: SetAside;
  readonly #proxies: OutgoingProxies;
  readonly #check: HopCheck;
  #means: ResolveOptions | undefined;

  constructor({ legs, flows, resolver, setAside, proxies, check }: NextHopsOptions) {
    this.#legs = legs;
    this.#flows = flows;
    this.#resolver = resolver;
    this.#setAside = setAside;
    this.#proxies = proxies;
    this.#check = check;
  }

  /**
   * The first way to go, with those to go otherwise. Peers that have a connection to be dialled have none yet.
   *
   * Throws, or rejects with, a `TransportError`; a promise only where a name has to be looked up.
   */
  find(request: Request, { target, leg, to }: Direction): Way | Promise<Way> {
    if (typeof to === "object") return this.reach(to, leg);
    if (to === undefined && target?.flow !== undefined) {
      const way = this.#flows.find(target.flow);
      if (way === undefined)
        throw new TransportError("the flow is gone", { code: "SIP_FLOW_GONE" });
      return way;
    }
    const first = request.headers.has("route") ? request.headers.read(route)?.uri : undefined;
    const given = to ?? first;
    const proxies = given === undefined ? this.#proxies.find(request.uri) : undefined;
    // A strict router is named by a Route, and has become the request-URI.
    const isOurs = proxies !== undefined || (to !== undefined && to !== request.uri);
    const seeker: Seeker = { request, leg, isChosen: !isOurs };
    if (proxies !== undefined && proxies.length > 1) return this.#throughOneOf(proxies, seeker);
    const uri = given ?? proxies?.[0] ?? request.uri;
    const hops = this.#resolve(uri, leg);
    return "then" in hops
      ? hops.then((found) => this.#inTurn(candidates(uri, found), seeker))
      : this.#inTurn(candidates(uri, hops), seeker);
  }

  #resolve(uri: string, leg: Leg | undefined): readonly NextHop[] | Promise<readonly NextHop[]> {
    // What the legs are bound to is known when they are open, which they are when something is sent.
    this.#means ??= meansOf(this.#legs);
    return this.#resolver.resolve(uri, leg === undefined ? this.#means : meansOf([leg]));
  }

  /** Those of several URIs in order. One that leads nowhere is no reason not to try the others. */
  async #throughOneOf(uris: readonly string[], seeker: Seeker): Promise<Way> {
    let failure: unknown;
    const found = await Promise.all(
      uris.map(async (uri) => {
        try {
          return candidates(uri, await this.#resolve(uri, seeker.leg));
        } catch (error) {
          failure = error;
          return [];
        }
      }),
    );
    const all = found.flat();
    if (all.length === 0 && failure !== undefined) throw failure;
    return this.#inTurn(all, seeker);
  }

  /** The way to a peer. Throws a `TransportError` where no leg reaches it. */
  reach(peer: Peer, leg?: Leg): Way {
    const own = this.#legTo(peer, leg);
    if (own === undefined)
      throw new TransportError("no leg reaches the peer", { code: "SIP_NO_LEG" });
    return { leg: own, peer };
  }

  /** Those that a leg of ours reaches and that may be, in order, what failed a moment ago at the end. RFC 3263 §4.3 */
  #inTurn(all: readonly Candidate[], seeker: Seeker): Way {
    let way: Way | undefined;
    let isRefused = false;
    // From the last to the first, since each holds the one after it.
    for (const candidate of all.length > 1 ? this.#byHope(all).reverse() : all) {
      const leg = this.#legTo(candidate.hop, seeker.leg);
      if (leg === undefined) continue;
      if (this.#mayGo(candidate.hop, leg, seeker)) way = this.#way(candidate, leg, seeker, way);
      else isRefused = true;
    }
    return way ?? nowhere(isRefused);
  }

  /** What this server was told to send to is reached within a dialog, too, by what it says of itself. */
  #mayGo(hop: NextHop, leg: TransportLeg, { request, isChosen }: Seeker): boolean {
    return !isChosen || this.#proxies.isAt(hop) || this.#check.allows(hop, request, leg);
  }

  #byHope(all: readonly Candidate[]): Candidate[] {
    const last: Candidate[] = [];
    const first = all.filter((candidate) => {
      const isSetAside = this.#setAside.has(candidate.hop);
      if (isSetAside) last.push(candidate);
      return !isSetAside;
    });
    first.push(...last);
    return first;
  }

  #way(
    { hop, mayGoByTcp }: Candidate,
    leg: TransportLeg,
    seeker: Seeker,
    otherwise: Way | undefined,
  ): Way {
    const { protocol, address, port, domain } = hop;
    // A resolver may give the same hop again and again; the peer is told from others by which object it is.
    const peer: Peer = { protocol, address, port, ...(domain === undefined ? {} : { domain }) };
    const large =
      mayGoByTcp && seeker.leg === undefined && protocol === "udp"
        ? chooseLeg(this.#legs, { protocol: "tcp", address })
        : undefined;
    return { leg, peer, otherwise, large };
  }

  #legTo(
    hop: { readonly protocol: Protocol; readonly address: string },
    leg: Leg | undefined,
  ): TransportLeg | undefined {
    return leg === undefined ? chooseLeg(this.#legs, hop) : this.#legs.find((own) => own === leg);
  }
}

/** What can be sent by legs, in their order. */
function meansOf(legs: readonly Leg[]): ResolveOptions {
  const families = new Set(legs.map(({ address }) => addressFamily(address)));
  return {
    protocols: [...new Set(legs.map(({ protocol }) => protocol))],
    families: [...families].filter((family) => family !== 0),
  };
}

function candidates(uri: string, hops: readonly NextHop[]): readonly Candidate[] {
  const byTcp = mayGoByTcp(uri);
  return hops.map((hop) => ({ hop, mayGoByTcp: byTcp }));
}

/** Whether a URI leaves the transport open. */
function mayGoByTcp(uri: string): boolean {
  return !/transport=/i.test(uri) || !parseSipUri(uri).params.has("transport");
}

function nowhere(isRefused: boolean): never {
  if (isRefused) {
    throw new TransportError("the next hop may not be reached", { code: "SIP_HOP_REFUSED" });
  }
  throw new TransportError("no leg reaches the next hop", { code: "SIP_NO_LEG" });
}
