/** How large a message may be. What is over a limit is a `ParseError`. */
export interface ParseLimits {
  /** Bytes of start line and headers together. Default: 65536. Over it: 513. */
  readonly head: number;
  /** Bytes of one header line, folded lines together. Default: 8192. Over it: 400. */
  readonly line: number;
  /** Header lines. Default: 256. Over it: 400. */
  readonly headers: number;
  /** Bytes of a request-URI. Default: 2048. Over it: 414. */
  readonly uri: number;
}

export const defaultParseLimits: ParseLimits = {
  head: 65536,
  line: 8192,
  headers: 256,
  uri: 2048,
};
