import type { Protocol } from "../arrival.ts";

/** One place to try for a request. */
export interface NextHop {
  readonly protocol: Protocol;
  /** An IPv4 or IPv6 address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** The host of the URI that led here, lower-case; left out where that is an address. See `Peer.domain`. */
  readonly domain?: string;
}

/** What the asker can send by, the preferred first: where the URI leaves a choice, nothing else is chosen. */
export interface ResolveOptions {
  /** Default: udp, tcp, tls, ws, wss. */
  readonly protocols?: readonly Protocol[];
  /** Address families. Default: 4, 6. */
  readonly families?: readonly (4 | 6)[];
}

/**
 * Finds where the request for a URI goes. One of your own (a static table, another directory) is another implementation.
 *
 * RFC 3263 §4
 */
export interface Resolver {
  /**
   * The places to try for a `sip:` or `sips:` URI, in order; at least one. A URI whose host is an address is answered
   * without a promise. Throws, or rejects with, a `ParseError` for what is no SIP URI and a `TransportError` when there
   * is nowhere to send to. It is asked once a request: load is spread by what it answers each time.
   */
  resolve(uri: string, options?: ResolveOptions): readonly NextHop[] | Promise<readonly NextHop[]>;
  /** How often things happened, by name: joins `dispatcher.counters()`. */
  counters?(): Readonly<Record<string, number>>;
  /**
   * Gives up what is being looked up, for good: those promises reject. A dispatcher closes the resolver that it made
   * itself; one that it was given is its giver's to close.
   */
  close?(): void;
}
