import { checkOption } from "../check-option.ts";

/**
 * Which bindings are pinged: `"all"` that this node has a flow to, those over `"udp"`, or those behind a `"nat"`: their
 * Contact names another place than the one they sent from.
 */
export type QualifiedBindings = "all" | "udp" | "nat";

/**
 * What becomes of a binding that doesn't answer: it is tried `"last"`; or it is left out of look-ups, `"skip"`, while
 * its user has another; or it is taken away, `"remove"`.
 */
export type WhenUnreachable = "last" | "skip" | "remove";

/** How a registrar finds out whether bindings are still reached. */
export interface QualifyOptions {
  /** Seconds from one ping of a binding to the next, at most. Default: 29, which keeps a NAT open. RFC 5626 §4.4.2 */
  readonly interval?: number;
  /** The part of the interval, 0 to 0.9, of which chance takes off up to all for each ping. Default: 0.2. */
  readonly jitter?: number;
  /** Seconds until a ping counts as unanswered, from 0.1 to 32 and no more than the interval. Default: 5, or the interval. */
  readonly timeout?: number;
  /** Which are pinged. Default: `"all"`. */
  readonly bindings?: QualifiedBindings;
  /** How many pings in a row go unanswered until a binding counts as unreachable, 1 to 100. Default: 1. */
  readonly failures?: number;
  /** What becomes of it then. Default: `"last"`. */
  readonly whenUnreachable?: WhenUnreachable;
  /** Whether of targets of the same q the one that answers fastest goes first. Default: false: the one refreshed last. */
  readonly sortByLatency?: boolean;
  /** Pings under way at once, at most; then the others wait. Default: 1,000. */
  readonly maxPings?: number;
  /** Bindings whose answers are remembered, at most; others are pinged, and nothing is made of it. Default: 1,000,000. */
  readonly remembered?: number;
}

/** Checked options; durations in milliseconds. */
export interface QualifySettings {
  readonly interval: number;
  readonly jitter: number;
  readonly timeout: number;
  readonly bindings: QualifiedBindings;
  readonly failures: number;
  readonly whenUnreachable: WhenUnreachable;
  readonly sortsByLatency: boolean;
  readonly maxPings: number;
  readonly remembered: number;
}

/** Gives `undefined` for who wants no pings. Throws a `SipError` `SIP_BAD_OPTION`. */
export function readQualify(given: boolean | QualifyOptions): QualifySettings | undefined {
  if (given === false) return undefined;
  const options = given === true ? {} : given;
  const { interval = 29, jitter = 0.2, failures = 1 } = options;
  const { timeout = Math.min(5, interval), maxPings = 1_000, remembered = 1_000_000 } = options;
  check(interval >= 1 && interval <= 86_400, "interval must be from 1 to 86,400 seconds");
  check(jitter >= 0 && jitter <= 0.9, "jitter must be from 0 to 0.9");
  check(
    timeout >= 0.1 && timeout <= Math.min(32, interval),
    "timeout must be from 0.1 to 32 seconds, and no more than interval",
  );
  check(isCount(failures, 100), "failures must be a whole number from 1 to 100");
  check(isCount(maxPings, 100_000), "maxPings must be a whole number from 1 to 100,000");
  check(isCount(remembered, 10_000_000), "remembered must be a whole number from 1 to 10,000,000");
  return {
    interval: interval * 1000,
    jitter,
    timeout: timeout * 1000,
    bindings: options.bindings ?? "all",
    failures,
    whenUnreachable: options.whenUnreachable ?? "last",
    sortsByLatency: options.sortByLatency ?? false,
    maxPings,
    remembered,
  };
}

function isCount(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= most;
}

function check(isGood: boolean, message: string): void {
  checkOption(isGood, `qualify: ${message}`);
}
