import { type Awaitable, detach, isPromise, Reject, type Server, SipError } from "@sipkit/core";
import { type HashAlgorithm, hashAlgorithms, isDigest } from "./algorithm.ts";
import { ha1Of, userhashOf } from "./digest.ts";

/**
 * What a user proves to know: a password, or in its place HA1s, each with the algorithm that it was made with (see
 * `ha1Of`). A user with an HA1 can use that algorithm alone.
 */
export type Credential =
  | string
  | { readonly ha1: Readonly<Partial<Record<HashAlgorithm, string>>> };

/**
 * Looks users up: asked on every request, it may answer later. It gives `undefined` for a user who doesn't exist, and
 * for one who is barred, so that nobody can tell them apart. What it throws is answered with 500 and reported, a
 * `Reject` with its own status.
 */
export interface CredentialsFunction {
  (user: string, realm: string): Awaitable<Credential | undefined>;
  /**
   * The name of the user whose `userhash` this is, for `userhash: true`: it needs an index over all names. `undefined`
   * when there is none.
   *
   * RFC 7616 §3.4.4
   */
  userOfHash?(
    userhash: string,
    realm: string,
    algorithm: HashAlgorithm,
  ): Awaitable<string | undefined>;
}

/** The users of a realm: a record by user name, which is copied, or a function. */
export type Credentials = Readonly<Record<string, Credential>> | CredentialsFunction;

/** Where the HA1s of a realm's users come from: `undefined` for a user who has none of that algorithm. */
export interface Ha1Source {
  ha1(user: string, algorithm: HashAlgorithm): Awaitable<string | undefined>;
  /** The name of the user whose hash this is; left out: it can't tell. */
  userOfHash?(userhash: string, algorithm: HashAlgorithm): Awaitable<string | undefined>;
  /** Before the first question. */
  start?(server: Server): void;
}

/**
 * The source that a user's `credentials` option stands for. `indexed` names the hash functions to find users by their
 * userhash with. Throws `SIP_BAD_OPTION`, without a secret in it.
 */
export function ha1Source(
  credentials: Credentials,
  realm: string,
  indexed: readonly HashAlgorithm[],
): Ha1Source {
  if (typeof credentials !== "function") return new RecordSource(credentials, realm, indexed);
  if (indexed.length > 0 && credentials.userOfHash === undefined) {
    throw new SipError("SIP_BAD_OPTION", "userhash needs a userOfHash of the credentials function");
  }
  return new FunctionSource(credentials, realm);
}

/** User names by the hashes that clients may send in their place. */
export function userhashIndex(
  users: Iterable<string>,
  realm: string,
  indexed: readonly HashAlgorithm[],
): ReadonlyMap<string, string> {
  const index = new Map<string, string>();
  if (indexed.length === 0) return index;
  for (const user of users) {
    for (const algorithm of indexed) index.set(userhashOf(user, realm, algorithm), user);
  }
  return index;
}

class RecordSource implements Ha1Source {
  readonly #users: ReadonlyMap<string, Credential>;
  readonly #realm: string;
  /** By hash function and user, made when first needed. */
  readonly #made: Readonly<Record<HashAlgorithm, Map<string, string>>> = {
    MD5: new Map(),
    "SHA-256": new Map(),
    "SHA-512-256": new Map(),
  };
  readonly #byHash: ReadonlyMap<string, string>;

  constructor(
    record: Readonly<Record<string, Credential>>,
    realm: string,
    indexed: readonly HashAlgorithm[],
  ) {
    this.#realm = realm;
    this.#byHash = userhashIndex(Object.keys(record), realm, indexed);
    this.#users = new Map(
      Object.entries(record).map(([user, credential]) => {
        if (!isUsable(credential)) {
          throw new SipError(
            "SIP_BAD_OPTION",
            `credentials of ${JSON.stringify(user)}: neither a password nor HA1s in hex`,
          );
        }
        return [user, credential];
      }),
    );
  }

  ha1(user: string, algorithm: HashAlgorithm): string | undefined {
    const made = this.#made[algorithm].get(user);
    if (made !== undefined) return made;
    const credential = this.#users.get(user);
    const ha1 = credential && ha1From(credential, user, this.#realm, algorithm);
    // A copy: the name is cut from a datagram.
    if (ha1 !== undefined) this.#made[algorithm].set(detach(user), ha1);
    return ha1;
  }

  userOfHash(userhash: string): string | undefined {
    return this.#byHash.get(userhash);
  }
}

class FunctionSource implements Ha1Source {
  readonly #look: CredentialsFunction;
  readonly #realm: string;
  /** Whether the user who was found last has a password, of which the HA1 is made each time. */
  #givesPasswords = true;

  constructor(look: CredentialsFunction, realm: string) {
    this.#look = look;
    this.#realm = realm;
  }

  ha1(user: string, algorithm: HashAlgorithm): Awaitable<string | undefined> {
    // A copy: whoever keeps it must not keep the datagram that it is cut from.
    const found = ask(() => this.#look(detach(user), this.#realm));
    return isPromise(found)
      ? found.then((credential) => this.#ha1From(credential, user, algorithm))
      : this.#ha1From(found, user, algorithm);
  }

  userOfHash(userhash: string, algorithm: HashAlgorithm): Awaitable<string | undefined> {
    return ask(() => this.#look.userOfHash?.(detach(userhash), this.#realm, algorithm));
  }

  #ha1From(
    credential: Credential | null | undefined,
    user: string,
    algorithm: HashAlgorithm,
  ): string | undefined {
    if (credential === undefined || credential === null) {
      // The work that one who exists would have cost.
      this.#ha1From(this.#givesPasswords ? "nobody" : nobody, user, algorithm);
      return undefined;
    }
    if (!isUsable(credential)) {
      throw new SipError("SIP_BAD_CREDENTIALS", "credentials: neither a password nor HA1s in hex");
    }
    this.#givesPasswords = typeof credential === "string";
    return ha1From(credential, user, this.#realm, algorithm);
  }
}

/** One who has HA1s. */
const nobody: Credential = {
  ha1: { MD5: "0".repeat(32), "SHA-256": "0".repeat(64), "SHA-512-256": "0".repeat(64) },
};

/** Runs a function of the operator's; what it throws, now or later, is named. */
function ask<T>(look: () => Awaitable<T>): Awaitable<T> {
  const fail = (error: unknown): never => {
    throw lookupFailed(error);
  };
  try {
    const found = look();
    return isPromise(found) ? found.then(undefined, fail) : found;
  } catch (error) {
    return fail(error);
  }
}

/** The HA1 that a credential stands for. */
export function ha1From(
  credential: Credential,
  user: string,
  realm: string,
  algorithm: HashAlgorithm,
): string | undefined {
  return typeof credential === "string"
    ? ha1Of(user, realm, credential, algorithm)
    : credential.ha1[algorithm]?.toLowerCase();
}

/** Whether something can be a credential. An empty password is a setting that somebody forgot, not a password. */
function isUsable(credential: unknown): credential is Credential {
  if (typeof credential === "string") return credential !== "";
  const ha1s = (credential as Exclude<Credential, string> | null | undefined)?.ha1;
  if (typeof ha1s !== "object" || ha1s === null) return false;
  const given = hashAlgorithms.filter((algorithm) => ha1s[algorithm] !== undefined);
  return given.length > 0 && given.every((algorithm) => isHa1(algorithm, ha1s[algorithm]));
}

function isHa1(algorithm: HashAlgorithm, ha1: unknown): boolean {
  return typeof ha1 === "string" && isDigest(algorithm, ha1);
}

function lookupFailed(cause: unknown): SipError {
  if (cause instanceof Reject) return cause;
  return new SipError("SIP_CREDENTIALS_FAILED", "the credentials could not be looked up", {
    cause,
  });
}
