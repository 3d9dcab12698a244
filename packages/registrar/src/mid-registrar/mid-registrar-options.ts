import { readSipUri, type SecretRing, secretRing } from "@sipkit/core";
import { checkOption } from "../check-option.ts";
import type { RegistrarOptions } from "../registrar-options.ts";
import type { UpstreamClient, UpstreamRules } from "./upstream.ts";
import type { MidRegistrarMode } from "./upstream-update.ts";

/**
 * How a {@link MidRegistrar} keeps bindings, which is a `Registrar`'s matter, and what it tells the registrar behind it.
 */
export interface MidRegistrarOptions
  extends Omit<RegistrarOptions, "approve" | "gruu" | "knownUsers" | "static"> {
  /** The registrar behind us: a SIP URI, with a transport where it is another than UDP. */
  readonly upstream: string;
  /**
   * `"contact"`: each device has a Contact there, `"aor"`: all of a user's devices have one together, `"mirror"`: each
   * has one, and every REGISTER goes there. Default: `"contact"`.
   */
  readonly mode?: MidRegistrarMode;
  /**
   * How calls come back through us: `"contact"` registers a Contact of ours in the device's place, `"path"` the device's
   * own with a Path, for registrars that support it. Default: `"contact"`. RFC 3327
   */
  readonly insert?: "contact" | "path";
  /** Seconds that are asked for there: above `maxExpires`. Default: 3600. */
  readonly outgoingExpires?: number;
  /**
   * The part of the time granted there, 0 to 0.9, of which chance ignores up to all: devices that registered at once
   * don't go there at once again. Default: 0.1.
   */
  readonly outgoingJitter?: number;
  /** Seconds that a Contact must last there longer than here. Default: 30. */
  readonly margin?: number;
  /**
   * What becomes of refreshes that are due there while it is down: `"absorb"` keeps their bindings, `"refuse"` answers 503,
   * as everything else gets then. Default: `"absorb"`.
   */
  readonly whenDown?: "absorb" | "refuse";
  /** Milliseconds that it has to answer; three times without, and it counts as down. Default: 5000. */
  readonly timeout?: number;
  /** Seconds for which nobody asks it then, and that Retry-After says. Default: 10. */
  readonly retryAfter?: number;
  /**
   * Whether what ends here without a REGISTER ends there, too: by a client that has the credentials for that, or (`true`)
   * without, where it takes our word; REGISTERs of whom no authenticator here has proved are refused then. Default: it
   * ends there by its time.
   */
  readonly unregister?: boolean | UpstreamClient;
  /** `"upstream"`: requests to users of the domains go there, `"pass"`: to the next handler. Default: `"upstream"`. */
  readonly calls?: "upstream" | "pass";
  /**
   * What our Contacts are sealed with; of several the first, the others only open theirs. Default: random, so that those
   * of an earlier life lead nowhere.
   */
  readonly secret?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Requests to it that have no answer yet. Default: 1000. */
  readonly maxPending?: number;
  /** REGISTERs of one user that have no answer yet. Default: 5. */
  readonly maxPendingPerUser?: number;
  /** Contacts there whose end is remembered. Default: 1,000,000. */
  readonly maxRemembered?: number;
}

/** Checked options, those of the registrar apart. */
export interface MidRegistrarSettings {
  readonly upstream: UpstreamRules;
  readonly mode: MidRegistrarMode;
  readonly byPath: boolean;
  /** Seconds. */
  readonly outgoingExpires: number;
  readonly outgoingJitter: number;
  /** Milliseconds. */
  readonly margin: number;
  readonly absorbsWhenDown: boolean;
  /** Seconds. */
  readonly retryAfter: number;
  /** `undefined`: what ends here is left to its time there. */
  readonly client: UpstreamClient | "none" | undefined;
  readonly sendsCalls: boolean;
  /** `undefined`: a random one. */
  readonly secrets: SecretRing | undefined;
  readonly maxPendingPerUser: number;
  readonly maxRemembered: number;
}

/** Throws a `SipError` `SIP_BAD_OPTION`. */
export function readMidOptions(options: MidRegistrarOptions): MidRegistrarSettings {
  const { upstream, mode = "contact", insert = "contact", unregister = false, secret } = options;
  const { outgoingExpires = 3600, outgoingJitter = 0.1, maxExpires = 300 } = options;
  const { margin = 30, timeout = 5000, retryAfter = 10 } = options;
  const { maxPending = 1000, maxPendingPerUser = 5, maxRemembered = 1_000_000 } = options;
  checkOption(readSipUri(upstream) !== undefined, "upstream must be a SIP URI");
  const counts = { outgoingExpires, timeout, retryAfter, maxPending, maxPendingPerUser };
  for (const [name, value] of Object.entries({ ...counts, maxRemembered })) {
    checkOption(Number.isSafeInteger(value) && value > 0, `${name} must be a whole number from 1`);
  }
  checkOption(Number.isSafeInteger(margin) && margin >= 0, "margin must be a whole number from 0");
  checkOption(
    mode === "mirror" || outgoingExpires > maxExpires + margin,
    "outgoingExpires must be above maxExpires and margin, or nothing is absorbed",
  );
  checkOption(outgoingJitter >= 0 && outgoingJitter <= 0.9, "outgoingJitter must be from 0 to 0.9");
  checkOption(
    mode !== "aor" || insert === "contact",
    "one Contact for all devices needs insert: contact",
  );
  return {
    upstream: { uri: upstream, timeout, pause: retryAfter * 1000, maxPending },
    mode,
    byPath: insert === "path",
    outgoingExpires,
    outgoingJitter,
    margin: margin * 1000,
    absorbsWhenDown: (options.whenDown ?? "absorb") === "absorb",
    retryAfter,
    client: unregister === true ? "none" : unregister === false ? undefined : unregister,
    sendsCalls: (options.calls ?? "upstream") === "upstream",
    secrets: secret === undefined ? undefined : secretRing(secret),
    maxPendingPerUser,
    maxRemembered,
  };
}
