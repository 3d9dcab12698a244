import { type Awaitable, detach, isPromise, Reject, type Server, SipError } from "@sipkit/core";
import { type Algorithm, algorithms, isDigest } from "./algorithm.ts";
import { ha1Of } from "./digest.ts";

/**
 * What a user proves to know: a password, or in its place HA1s, each with the algorithm that it was made with (see
 * `ha1Of`). A user with an HA1 can use that algorithm alone.
 */
export type Credential = string | { readonly ha1: Readonly<Partial<Record<Algorithm, string>>> };

/**
 * The users of a realm: a record by user name, which is copied, or a function that is asked on every request and may
 * answer later. It gives `undefined` for a user who doesn't exist; what it throws is answered with 500 and reported,
 * a `Reject` with its own status.
 */
export type Credentials =
  | Readonly<Record<string, Credential>>
  | ((user: string, realm: string) => Awaitable<Credential | undefined>);

/** Where the HA1s of a realm's users come from: `undefined` for a user who has none of that algorithm. */
export interface Ha1Source {
  ha1(user: string, algorithm: Algorithm): Awaitable<string | undefined>;
  /** Before the first question. */
  start?(server: Server): void;
}

/** The source that a user's `credentials` option stands for. Throws `SIP_BAD_OPTION`, without a secret in it. */
export function ha1Source(credentials: Credentials, realm: string): Ha1Source {
  return typeof credentials === "function"
    ? new FunctionSource(credentials, realm)
    : new RecordSource(credentials, realm);
}

interface User {
  readonly credential: Credential;
  /** Made when first needed. */
  readonly made: Map<Algorithm, string | undefined>;
}

class RecordSource implements Ha1Source {
  readonly #users: ReadonlyMap<string, User>;
  readonly #realm: string;

  constructor(record: Readonly<Record<string, Credential>>, realm: string) {
    this.#realm = realm;
    this.#users = new Map(
      Object.entries(record).map(([user, credential]) => {
        if (!isUsable(credential)) {
          throw new SipError(
            "SIP_BAD_OPTION",
            `credentials of ${JSON.stringify(user)}: neither a password nor HA1s in hex`,
          );
        }
        return [user, { credential, made: new Map() }];
      }),
    );
  }

  ha1(user: string, algorithm: Algorithm): string | undefined {
    const found = this.#users.get(user);
    if (found === undefined) return undefined;
    const made = found.made.get(algorithm);
    if (made !== undefined) return made;
    const ha1 = ha1From(found.credential, user, this.#realm, algorithm);
    found.made.set(algorithm, ha1);
    return ha1;
  }
}

class FunctionSource implements Ha1Source {
  readonly #look: Exclude<Credentials, Readonly<Record<string, Credential>>>;
  readonly #realm: string;

  constructor(look: Exclude<Credentials, Readonly<Record<string, Credential>>>, realm: string) {
    this.#look = look;
    this.#realm = realm;
  }

  ha1(user: string, algorithm: Algorithm): Awaitable<string | undefined> {
    let found: Awaitable<Credential | undefined>;
    try {
      // A copy: whoever keeps it must not keep the datagram that it is cut from.
      found = this.#look(detach(user), this.#realm);
    } catch (error) {
      throw lookupFailed(error);
    }
    if (!isPromise(found)) return this.#ha1From(found, user, algorithm);
    return found.then(
      (credential) => this.#ha1From(credential, user, algorithm),
      (error: unknown) => {
        throw lookupFailed(error);
      },
    );
  }

  #ha1From(
    credential: Credential | null | undefined,
    user: string,
    algorithm: Algorithm,
  ): string | undefined {
    if (credential === undefined || credential === null) {
      // The work that a password would have cost.
      ha1Of(user, this.#realm, user, algorithm);
      return undefined;
    }
    if (isUsable(credential)) return ha1From(credential, user, this.#realm, algorithm);
    throw new SipError("SIP_BAD_CREDENTIALS", "credentials: neither a password nor HA1s in hex");
  }
}

/** The HA1 that a credential stands for. */
export function ha1From(
  credential: Credential,
  user: string,
  realm: string,
  algorithm: Algorithm,
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
  const given = algorithms.filter((algorithm) => ha1s[algorithm] !== undefined);
  return given.length > 0 && given.every((algorithm) => isHa1(algorithm, ha1s[algorithm]));
}

function isHa1(algorithm: Algorithm, ha1: unknown): boolean {
  return typeof ha1 === "string" && isDigest(algorithm, ha1);
}

function lookupFailed(cause: unknown): SipError {
  if (cause instanceof Reject) return cause;
  return new SipError("SIP_CREDENTIALS_FAILED", "the credentials could not be looked up", {
    cause,
  });
}
