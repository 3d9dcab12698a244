import { type Awaitable, type Identity, type Request, type Server, SipError } from "@sipkit/core";

/**
 * Whether who sent a SUBSCRIBE may see a user's registrations; `identity` is `undefined` for a stranger. Whatever isn't
 * `true`, now or later, is no. `addressOfRecord` is the user's, canonical: the request-URI of a refresh is this server's.
 *
 * The conditions of `@sipkit/auth` are such functions.
 */
export type MaySubscribe = (
  request: Request,
  identity: Identity | undefined,
  server: Server,
  addressOfRecord: string,
) => Awaitable<boolean>;

/** Who may watch registrations, for how long, and how many may. */
export interface RegEventsOptions {
  /**
   * Who may subscribe to a user besides herself. Default: nobody. Who opens it to strangers over UDP lends his server to
   * those who forge their source: NOTIFYs are longer than a SUBSCRIBE, and repeated while nobody answers.
   */
  readonly maySubscribe?: MaySubscribe;
  /** Seconds; who asks for less gets a 423. Default: 60. */
  readonly minExpires?: number;
  /** Seconds; who asks for more gets this. Default: 7200. */
  readonly maxExpires?: number;
  /** Seconds for those who ask for nothing. Default: 3761, or `maxExpires` where that is less. RFC 3680 §4.4 */
  readonly defaultExpires?: number;
  /** Subscriptions to all users, at most; more are answered 503. Default: 10,000. */
  readonly maxSubscriptions?: number;
  /** Subscriptions to one user, at most; more are answered 403. Default: 16. */
  readonly maxPerUser?: number;
  /** Seconds from one NOTIFY of changes to the next in a subscription. Default: 5. RFC 3680 §4.10 */
  readonly interval?: number;
  /** Bytes of one document, at most; what has no room is left out. Default: 16,384. */
  readonly maxBody?: number;
  /**
   * What becomes of a SUBSCRIBE to other events of a user: `"pass"` leaves it to the next handler, `"refuse"` answers 489.
   * Default: `"pass"`.
   */
  readonly otherEvents?: "pass" | "refuse";
}

/** Checked options, `interval` in milliseconds. */
export type RegEventsSettings = Required<RegEventsOptions>;

/** Throws `SIP_BAD_OPTION`. */
export function readOptions(options: RegEventsOptions): RegEventsSettings {
  const { minExpires = 60, maxExpires = 7200, maxSubscriptions = 10_000 } = options;
  const { defaultExpires = Math.min(3761, maxExpires), maxPerUser = 16 } = options;
  const { interval = 5, maxBody = 16_384 } = options;
  const lengths = { minExpires, maxExpires, defaultExpires };
  const numbers = { ...lengths, maxSubscriptions, maxPerUser, interval, maxBody };
  for (const [name, value] of Object.entries(numbers)) {
    if (Number.isSafeInteger(value) && value >= 1 && value <= 0x7fff_ffff) continue;
    throw bad(`${name} must be a whole number from 1`);
  }
  if (minExpires > defaultExpires || defaultExpires > maxExpires) {
    throw bad("minExpires must not exceed defaultExpires, nor that maxExpires");
  }
  return {
    ...numbers,
    interval: interval * 1000,
    maySubscribe: options.maySubscribe ?? (() => false),
    otherEvents: options.otherEvents ?? "pass",
  };
}

function bad(message: string): SipError {
  return new SipError("SIP_BAD_OPTION", `RegEvents: ${message}`);
}
