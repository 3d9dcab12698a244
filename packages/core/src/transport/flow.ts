import type { Protocol } from "../arrival.ts";

/**
 * Where a connection-bound contact or an in-dialog request is reached. Plain data, so that a store can keep it.
 *
 * RFC 5626 §5.2
 */
export interface FlowRef {
  /** Which process of a cluster. */
  readonly node: string;
  /** Which life of it: a stream flow of an earlier one is dead and never dialled. */
  readonly epoch: string;
  readonly protocol: Protocol;
  /** `address:port`, IPv6 in brackets. */
  readonly local: string;
  readonly remote: string;
  /** A stream's connection; left out for UDP, and for a stream that we may dial again. */
  readonly connection?: number;
}
