import { DomainNames, SipError } from "@sipkit/core";
import type { ContactLimits } from "./contact-requests.ts";
import type { LocationStore } from "./location-store.ts";
import { memoryStore } from "./memory-store.ts";

/**
 * Whether a user exists who has no bindings: a call to him is answered 480, to nobody 404. `user` is unescaped,
 * `domain` in lower case.
 */
export type KnownUsers = (user: string, domain: string) => boolean | Promise<boolean>;

export interface RegistrarOptions {
  /** Seconds; who asks for less gets a 423. Default: 30. */
  readonly minExpires?: number;
  /** Seconds; who asks for more gets this. Default: 300. */
  readonly maxExpires?: number;
  /** Seconds for those who ask for nothing. Default: `maxExpires`. */
  readonly defaultExpires?: number;
  /**
   * The domains whose users register here: names, or `*.example.com` for every name below it. Default: the
   * dispatcher's.
   */
  readonly domains?: string | readonly string[];
  /** Default: `memoryStore()`. The registrar closes it. */
  readonly store?: LocationStore;
  /** Bindings of one user, at most; a REGISTER that would make more is answered 403. Default: 10. */
  readonly maxBindings?: number;
  /** Contacts in one REGISTER, at most; more are answered 403. Default: 12. */
  readonly maxContacts?: number;
  /** Default: those who have, or had, bindings in the store. */
  readonly knownUsers?: KnownUsers;
}

/** Checked options. */
export interface RegistrarSettings {
  readonly limits: ContactLimits;
  readonly maxBindings: number;
  readonly domains: DomainNames | undefined;
  readonly store: LocationStore;
  readonly knownUsers: KnownUsers;
}

/** Throws a `SipError` `SIP_BAD_OPTION` or `SIP_BAD_DOMAIN`. */
export function readOptions(options: RegistrarOptions): RegistrarSettings {
  const { minExpires = 30, maxExpires = 300, maxBindings = 10, maxContacts = 12 } = options;
  const { defaultExpires = maxExpires, domains } = options;
  const limits = { minExpires, maxExpires, defaultExpires, maxContacts };
  for (const [name, value] of Object.entries({ ...limits, maxBindings })) {
    const least = name === "minExpires" ? 0 : 1;
    if (!Number.isSafeInteger(value) || value < least || value > 0xffff_ffff) {
      throw new SipError("SIP_BAD_OPTION", `${name} must be a whole number from ${least}`);
    }
  }
  if (minExpires > maxExpires || defaultExpires > maxExpires) {
    throw new SipError(
      "SIP_BAD_OPTION",
      "minExpires and defaultExpires must not exceed maxExpires",
    );
  }
  return {
    limits,
    maxBindings,
    domains:
      domains === undefined
        ? undefined
        : new DomainNames(typeof domains === "string" ? [domains] : domains),
    store: options.store ?? memoryStore(),
    knownUsers: options.knownUsers ?? (() => false),
  };
}
