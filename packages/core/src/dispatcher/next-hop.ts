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
}

/**
 * Finds where a request goes: where it was told to, else its target's flow, else its top Route, else its request-URI.
 *
 * RFC 3261 §8.1.2, §16.6 item 7; RFC 3263
 */
export class NextHops {
  readonly #legs: readonly TransportLeg[];
  readonly #flows: Flows;
  readonly #resolver: Resolver;
  readonly #setAside: SetAside;
  #means: ResolveOptions | undefined;

  constructor({ legs, flows, resolver, setAside }: NextHopsOptions) {
    this.#legs = legs;
    this.#flows = flows;
    this.#resolver = resolver;
    this.#setAside = setAside;
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
    const uri = to ?? first ?? request.uri;
    // What the legs are bound to is known when they are open, which they are when something is sent.
    this.#means ??= meansOf(this.#legs);
    const hops = this.#resolver.resolve(uri, leg === undefined ? this.#means : meansOf([leg]));
    return "then" in hops
      ? hops.then((found) => this.#ways(found, uri, leg))
      : this.#ways(hops, uri, leg);
  }

  /** The way to a peer. Throws a `TransportError` where no leg reaches it. */
  reach(peer: Peer, leg?: Leg): Way {
    const own = this.#legTo(peer, leg);
    if (own === undefined)
      throw new TransportError("no leg reaches the peer", { code: "SIP_NO_LEG" });
    return { leg: own, peer };
  }

  /** Those that a leg of ours reaches, in order, what failed a moment ago at the end. RFC 3263 §4.3 */
  #ways(hops: readonly NextHop[], uri: string, leg: Leg | undefined): Way {
    const mayGoByTcp = leg === undefined && !namesTransport(uri);
    let way: Way | undefined;
    if (hops.length === 1) way = this.#way(hops[0] as NextHop, leg, mayGoByTcp, undefined);
    else {
      // From the last to the first, since each holds the one after it.
      for (const hop of this.#byHope(hops).reverse()) {
        way = this.#way(hop, leg, mayGoByTcp, way) ?? way;
      }
    }
    if (way === undefined)
      throw new TransportError("no leg reaches the next hop", { code: "SIP_NO_LEG" });
    return way;
  }

  #byHope(hops: readonly NextHop[]): NextHop[] {
    const last: NextHop[] = [];
    const first = hops.filter((hop) => {
      const isSetAside = this.#setAside.has(hop);
      if (isSetAside) last.push(hop);
      return !isSetAside;
    });
    first.push(...last);
    return first;
  }

  #way(
    hop: NextHop,
    leg: Leg | undefined,
    mayGoByTcp: boolean,
    otherwise: Way | undefined,
  ): Way | undefined {
    const own = this.#legTo(hop, leg);
    if (own === undefined) return undefined;
    const { protocol, address, port, domain } = hop;
    // A resolver may give the same hop again and again; the peer is told from others by which object it is.
    const peer: Peer = { protocol, address, port, ...(domain === undefined ? {} : { domain }) };
    const large =
      mayGoByTcp && protocol === "udp"
        ? chooseLeg(this.#legs, { protocol: "tcp", address })
        : undefined;
    return { leg: own, peer, otherwise, large };
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

/** Whether a URI itself chooses the transport. */
function namesTransport(uri: string): boolean {
  return /transport=/i.test(uri) && parseSipUri(uri).params.has("transport");
}
