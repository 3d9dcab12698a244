/** What a `SipError` may carry besides its message. */
export interface SipErrorOptions {
  readonly cause?: unknown;
  /** `false`: no stack is captured, for errors made per packet. Default: true. */
  readonly stack?: boolean;
}

/**
 * The root of every error that sipkit throws. `code` is stable and listed in `docs/errors.md`; the message is for people.
 */
export class SipError extends Error {
  readonly code: `SIP_${string}`;

  constructor(code: `SIP_${string}`, message: string, options: SipErrorOptions = {}) {
    const limit = Error.stackTraceLimit;
    if (options.stack === false) Error.stackTraceLimit = 0;
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    Error.stackTraceLimit = limit;
    this.code = code;
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/** Where a message is wrong, and what SIP answers to it. */
export interface ParseErrorOptions {
  /** The header at fault, in its canonical spelling; left out for the start line and the framing. */
  readonly header?: string;
  /** Offset of the fault in the message, in bytes. Default: 0. */
  readonly offset?: number;
  /** The status owed to the sender. Default: 400. */
  readonly status?: number;
  /** See {@link ParseError.isAmbiguous}. Default: false. */
  readonly isAmbiguous?: boolean;
}

/**
 * Bytes that are not the SIP they should be. The message is fit to be a reason phrase: it names the fault and holds
 * nothing of what the peer sent.
 */
export class ParseError extends SipError {
  readonly header: string | undefined;
  readonly offset: number;
  readonly status: number;
  /**
   * Whether others may read other header lines here, and so another end of the message: of a stream that it came on,
   * what follows can't be trusted.
   */
  readonly isAmbiguous: boolean;

  constructor(message: string, options: ParseErrorOptions = {}) {
    super("SIP_PARSE", message, { stack: false });
    this.header = options.header;
    this.offset = options.offset ?? 0;
    this.status = options.status ?? 400;
    this.isAmbiguous = options.isAmbiguous ?? false;
  }
}

/**
 * No final response came in time (Timer B or F). A proxy treats it as a 408.
 *
 * RFC 3261 §17.1.1.2, §17.1.2.2
 */
export class TransactionTimeout extends SipError {
  readonly status = 408;

  constructor(message: string) {
    super("SIP_TIMEOUT", message, { stack: false });
  }
}

/**
 * A message could not be sent, or its connection was lost. A proxy treats it as a 503.
 *
 * RFC 3261 §8.1.3.1, §18.4
 */
export class TransportError extends SipError {
  readonly status = 503;

  constructor(
    message: string,
    options: { readonly cause?: unknown; readonly code?: `SIP_${string}` } = {},
  ) {
    super(options.code ?? "SIP_TRANSPORT", message, { cause: options.cause, stack: false });
  }
}

/** What was thrown, in words: an error's message. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
