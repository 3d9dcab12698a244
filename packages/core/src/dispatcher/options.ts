import type { AnyHandler, Packet } from "../chain/handler.ts";
import type { Clock } from "../clock.ts";
import type { SipError } from "../errors.ts";
import type { Random } from "../random.ts";
import type { HopPolicy } from "../resolve/hop-policy.ts";
import type { Resolver } from "../resolve/resolver.ts";
import type { LegAddress, LegOptions } from "../transport/leg-address.ts";
import type { StreamLimits } from "../transport/stream-limits.ts";
import type { OutgoingProxyOptions } from "./outgoing-proxies.ts";

export interface DispatcherOptions extends OutgoingProxyOptions {
  /** Where to listen: `"udp:127.0.0.1:5060"`, or with more said. Port 5060 when left out, 0 for any free one. */
  readonly legs: readonly (LegAddress | LegOptions)[];
  /**
   * The domains that this server is responsible for: host names, or `*.example.com` for every name below. The first
   * one is also what an address or an alias of ours stands for. Default: none.
   */
  readonly domains?: readonly string[];
  /** Other names of this server. Default: none; the addresses that it listens on are always its own. */
  readonly aliases?: readonly string[];
  /** What packets walk through; a list is a chain. Default: nothing, so that requests get the dispatcher's own answers. */
  readonly receiver?: AnyHandler | readonly AnyHandler[];
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: the operating system's. */
  readonly random?: Random;
  /** Default: `dnsResolver`, which asks the machine's DNS servers. */
  readonly resolver?: Resolver;
  /**
   * Whether a request may go to a place that its request-URI, a Route, a Path or a contact led to, by name or by address.
   * Not asked of flows, `outgoingProxy` and `domainToProxy` (or what names one of these by address and port), or a `to` that
   * isn't the request-URI. What may not be reached is left out; a request that nothing is left for fails
   * (`SIP_HOP_REFUSED`), which a proxy answers with 403. Default: `routableAddresses()`.
   */
  readonly mayReach?: HopPolicy;
  /**
   * Key of To tags and route tokens, or several: the first makes them, all of them know theirs again. The same for all
   * nodes of a cluster. Default: a random one, so that routes of an earlier life are forged.
   */
  readonly secret?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Which process of a cluster this is. Default: random. */
  readonly node?: string;
  /** RFC 3261's T1, the estimate of a round trip, in milliseconds. Default: 500. */
  readonly t1?: number;
  /** Bounds of what peers can make grow; `docs/limits.md` lists them. */
  readonly limits?: DispatcherLimits;
  /** Told of what went wrong and has no other way out. Default: a line on standard error. */
  readonly onError?: (
    error: SipError,
    at: { readonly packet?: Packet; readonly handler?: string },
  ) => void;
}

export interface DispatcherLimits extends Partial<StreamLimits> {
  /** Bytes of all transactions together. Default: 64 MiB. */
  readonly transactionBytes?: number;
}
