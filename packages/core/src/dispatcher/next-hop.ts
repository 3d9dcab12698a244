import type { Leg, Peer } from "../arrival.ts";
import type { Target } from "../chain/targets.ts";
import { TransportError } from "../errors.ts";
import { route } from "../message/header/route.ts";
import type { Request } from "../message/request.ts";
import type { NextHop, Resolver } from "../resolve/resolver.ts";
import { chooseLeg } from "../transport/choose-leg.ts";
import type { TransportLeg } from "../transport/leg.ts";
import type { Flows, Way } from "./flows.ts";

/** What a caller may say about where a request goes. */
export interface Direction {
  readonly target?: Target;
  readonly leg?: Leg;
  readonly to?: Peer | string;
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

  constructor(legs: readonly TransportLeg[], flows: Flows, resolver: Resolver) {
    this.#legs = legs;
    this.#flows = flows;
    this.#resolver = resolver;
  }

  /** Throws, or rejects with, a `TransportError`; a promise only where a name has to be looked up. */
  find(request: Request, { target, leg, to }: Direction): Way | Promise<Way> {
    if (typeof to === "object") return this.reach(to, leg);
    if (to === undefined && target?.flow !== undefined) {
      const way = this.#flows.find(target.flow);
      if (way === undefined)
        throw new TransportError("the flow is gone", { code: "SIP_FLOW_GONE" });
      return way;
    }
    const uri = to ?? (request.headers.has("route") ? request.headers.read(route)?.uri : undefined);
    const hops = this.#resolver.resolve(uri ?? request.uri);
    return "then" in hops ? hops.then((found) => this.#first(found, leg)) : this.#first(hops, leg);
  }

  /** The way to a peer. Throws a `TransportError` where no leg reaches it. */
  reach(peer: Peer, leg?: Leg): Way {
    const own = leg === undefined ? chooseLeg(this.#legs, peer) : this.#own(leg);
    if (own === undefined)
      throw new TransportError("no leg reaches the peer", { code: "SIP_NO_LEG" });
    return { leg: own, peer: own.reach(peer) };
  }

  #first(hops: readonly NextHop[], leg: Leg | undefined): Way {
    for (const { protocol, address, port } of hops) {
      const own = leg === undefined ? chooseLeg(this.#legs, { protocol, address }) : this.#own(leg);
      if (own !== undefined) return { leg: own, peer: own.reach({ protocol, address, port }) };
    }
    throw new TransportError("no leg reaches the next hop", { code: "SIP_NO_LEG" });
  }

  #own(leg: Leg): TransportLeg | undefined {
    return this.#legs.find((own) => own === leg);
  }
}
