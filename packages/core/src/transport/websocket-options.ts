import type { IncomingMessage } from "node:http";

/** Whom a ws or wss leg lets in. */
export interface WebSocketOptions {
  /** The path of the URL that clients open; others get a 404. Default: any. */
  readonly path?: string;
  /**
   * Asked when a client opens a connection: its Origin header (browsers send one; `undefined` where there is none) and
   * the HTTP request. Anything but `true`, a promise or an error
   * included, refuses it with 403. Default: everybody is let in. RFC 6455 §10.2
   */
  readonly allowOrigin?: (origin: string | undefined, request: IncomingMessage) => boolean;
}
