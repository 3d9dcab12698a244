/** The transport protocols that SIP runs over here. */
export type Protocol = "udp" | "tcp" | "tls" | "ws" | "wss";

/** A live stream connection. */
export interface Connection {
  /** Unique within this life of the process; never used again. */
  readonly id: number;
  /** `false` once either side has closed it: what is sent to it after that fails. */
  readonly open: boolean;
  /** Whether the other side proved who it is by a certificate that we accept. */
  readonly authorized?: boolean;
  /**
   * The names that its certificate proves, lower-case: SIP domains and host names. Left out where none was shown, or none
   * that we accept. RFC 5922 §7.1
   */
  readonly identities?: readonly string[] | undefined;
  /** Sends what is left, then closes it. */
  close?(): void;
  /**
   * From now on it is closed when no byte comes from the other side for that many milliseconds; the last call holds. For who
   * has told the other side how often to keep it alive.
   *
   * RFC 5626 §5.4
   */
  expectBytes?(within: number): void;
}

/** The other end: an address literal, a port, and the connection where there is one. */
export interface Peer {
  readonly protocol: Protocol;
  /** An IPv4 or IPv6 address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  readonly connection?: Connection;
  /**
   * The domain that was asked for and led here: what the other side's certificate must name when we open a TLS
   * connection. Left out where only the address is known. RFC 5922 §7.3
   */
  readonly domain?: string;
}

/** One of the server's own addresses: what listens there, and the name it goes by. */
export interface Leg {
  readonly protocol: Protocol;
  /** The address that it is bound to, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** `host:port` for Via, Contact and Record-Route: the advertised name, else the bound address. */
  readonly sentBy: string;
}

/** How a request reached us. */
export interface Arrival {
  readonly leg: Leg;
  readonly from: Peer;
  /** `clock.now()` when it was read. */
  readonly at: number;
  /** How many bytes it came in: what its answer is measured by. Left out where nobody counted. */
  readonly size?: number;
}
