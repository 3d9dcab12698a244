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

/**
 * Finds where the request for a URI goes. One of your own (a static table, another directory) is another implementation.
 *
 * RFC 3263 §4
 */
export interface Resolver {
  /**
   * The places to try for a `sip:` or `sips:` URI, in order; at least one. A URI whose host is an address is answered
   * without a promise. Throws, or rejects with, a `ParseError` for what is no SIP URI and a `TransportError` when there
   * is nowhere to send to.
   */
  resolve(uri: string): readonly NextHop[] | Promise<readonly NextHop[]>;
}
