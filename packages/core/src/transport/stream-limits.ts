import { SipError } from "../errors.ts";

/** The bounds of a stream transport. Bytes and milliseconds; deadlines are checked once a second. */
export interface StreamLimits {
  /** The longest message, and the longest head of one. Default: 65,536. */
  readonly maxMessage: number;
  /**
   * Connections alive at once, whoever opened them; more are closed as they come, or not opened. Default: 10,000.
   */
  readonly maxConnections: number;
  /**
   * Connections at once with one IPv4 address, or with one /64 of IPv6, which is what a single host has at its disposal.
   * Raise it where many phones share an address (a carrier's NAT, a load generator, a proxy before this one).
   * Default: 100.
   */
  readonly maxConnectionsPerAddress: number;
  /** How long a connection that was accepted may take to send its first whole message. Default: 32,000. */
  readonly firstMessageTimeout: number;
  /** How long the bytes of one message may pause. Default: 32,000. */
  readonly betweenBytesTimeout: number;
  /** How long one message may take from its first byte to its last, however steadily they come. Default: 64,000. */
  readonly messageTimeout: number;
  /**
   * How many frames that are no whole message may come in a second: double CRLFs, and on WebSocket control frames, fragments
   * and empty frames. More, and the connection is closed. Default: 100.
   */
  readonly maxKeepAlives: number;
  /**
   * How long a connection may pass no byte in either direction. Default: 3,600,000, the usual life of a registration: a
   * phone that neither refreshed its binding nor sent a keep-alive in that time is gone.
   */
  readonly idleTimeout: number;
  /**
   * How long the opening of a connection may take, and the handshake (TLS, WebSocket) of one that was accepted.
   * Default: 10,000.
   */
  readonly connectTimeout: number;
  /** Bytes that wait for a slow reader; more, and its connection is closed. Default: 1,048,576. */
  readonly maxBuffered: number;
}

/** The defaults. */
const defaultStreamLimits: StreamLimits = {
  maxMessage: 65_536,
  maxConnections: 10_000,
  maxConnectionsPerAddress: 100,
  firstMessageTimeout: 32_000,
  betweenBytesTimeout: 32_000,
  messageTimeout: 64_000,
  maxKeepAlives: 100,
  idleTimeout: 3_600_000,
  connectTimeout: 10_000,
  maxBuffered: 1_048_576,
};

/** Fills in the defaults. Throws a `SipError` (`SIP_BAD_OPTION`) for a bound that is no positive number. */
export function streamLimits(given: Partial<StreamLimits> = {}): StreamLimits {
  const limits = { ...defaultStreamLimits, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!(typeof value === "number" && value > 0)) {
      throw new SipError("SIP_BAD_OPTION", `limits.${name} must be a positive number`);
    }
  }
  return limits;
}
