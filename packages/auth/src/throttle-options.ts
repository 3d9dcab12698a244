import { AddressList } from "@sipkit/core";
import type { AuthFailure } from "./auth-failure.ts";
import type { BackOffOptions } from "./back-off.ts";
import { checkOption } from "./check-option.ts";
import type { RateOptions } from "./request-rate.ts";

/** What a `Throttle` lets pass, and what it does with the rest. Times are in milliseconds. */
export interface ThrottleOptions {
  /**
   * Wrong credentials from an address, whoever they are for, until it is banned. Default: 20 failures, a minute first, an
   * hour at most, forgotten after an hour.
   */
  readonly perAddress?: BackOffOptions;
  /**
   * Wrong credentials for a user, wherever they come from, until nobody but who proved himself lately is asked for
   * them any more. Default: 20 failures, a minute first, a quarter of an hour at most, forgotten after an hour.
   */
  readonly perUser?: BackOffOptions;
  /**
   * Wrong credentials for a user from an address, until they are no longer looked at: a phone with an old password comes
   * to its end here, and doesn't get its address banned. Default: 5 failures, half a minute first, an hour at most,
   * forgotten after an hour.
   */
  readonly perUserAtAddress?: BackOffOptions;
  /** Requests from an address that nobody has proved. Default: 100, and 100 more in each 10,000 ms. */
  readonly rate?: RateOptions;
  /** How long a phone that proved its user passes the bans of others. Default: 86,400,000, a day. */
  readonly knownFor?: number;
  /** Addresses, and blocks as `192.0.2.0/24`, that are never held back. Default: none. */
  readonly allow?: readonly string[];
  /** What is held back gets this; 503 says after how long to come again. Default: `"drop"`, nothing. */
  readonly answer?: "drop" | 403 | 503;
  /**
   * Told of each wrong credential and of each address that sends too much, for logs: see `failureLine`. What it throws is
   * reported.
   */
  readonly onFailure?: (failure: AuthFailure) => void;
  /** Addresses that are remembered, of each kind; the one that was quiet longest goes first. Default: 10,000. */
  readonly maxAddresses?: number;
  /** Users that failures are remembered of, as much. Default: 10,000. */
  readonly maxUsers?: number;
  /** Flows and Call-IDs, and as many users at an address, that proved themselves and are remembered: two a phone. Default: 100,000. */
  readonly maxKnown?: number;
}

/** The options with their defaults. */
export type CheckedThrottleOptions = Required<
  Pick<ThrottleOptions, "answer" | "knownFor" | "maxAddresses" | "maxKnown" | "maxUsers">
> & {
  readonly onFailure: ThrottleOptions["onFailure"] | undefined;
  readonly perAddress: Required<BackOffOptions>;
  readonly perUser: Required<BackOffOptions>;
  readonly perUserAtAddress: Required<BackOffOptions>;
  readonly rate: Required<RateOptions>;
  readonly allow: AddressList;
};

/** The options with their defaults. Throws `SIP_BAD_OPTION`. */
export function checkThrottleOptions(options: ThrottleOptions): CheckedThrottleOptions {
  const {
    knownFor = 86_400_000,
    allow = [],
    answer = "drop",
    maxAddresses = 10_000,
    maxUsers = 10_000,
    maxKnown = 100_000,
    onFailure,
  } = options;
  const hour = 3_600_000;
  const checked = {
    perAddress: {
      failures: 20,
      first: 60_000,
      longest: hour,
      forgetAfter: hour,
      ...options.perAddress,
    },
    perUser: {
      failures: 20,
      first: 60_000,
      longest: 900_000,
      forgetAfter: hour,
      ...options.perUser,
    },
    perUserAtAddress: {
      failures: 5,
      first: 30_000,
      longest: hour,
      forgetAfter: hour,
      ...options.perUserAtAddress,
    },
    rate: { requests: 100, interval: 10_000, ...options.rate },
  };
  for (const [name, values] of Object.entries({
    ...checked,
    options: { knownFor, maxAddresses, maxUsers, maxKnown },
  })) {
    for (const [part, value] of Object.entries(values)) {
      // Less than one makes no sense of counts, and none of times.
      checkOption(Number.isFinite(value) && value >= 1, `${name}: ${part} must be 1 or more`);
    }
  }
  checkOption(["drop", 403, 503].includes(answer), 'answer must be "drop", 403 or 503');
  return {
    ...checked,
    knownFor,
    allow: new AddressList("allow", allow),
    answer,
    maxAddresses,
    maxUsers,
    maxKnown,
    onFailure,
  };
}
