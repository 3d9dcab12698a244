import { type Awaitable, type Clock, isPromise, SipError, systemClock } from "@sipkit/core";
import { BoundedMap } from "./bounded-map.ts";
import type { Credential, CredentialsFunction } from "./credentials.ts";

/** How long a {@link cached} function's answers are kept. */
export interface CacheOptions {
  /** A user's credential, in milliseconds: for so long an old password is taken. Default: 60,000. */
  readonly ttl?: number;
  /** That there is no such user, in milliseconds: for so long a new one waits. Default: 10,000. */
  readonly negativeTtl?: number;
  /** Users that are kept, and as many names that are nobody's; the oldest goes first. Default: 10,000. */
  readonly max?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** A function of users that remembers its answers. */
export interface CachedCredentials extends CredentialsFunction {
  /** Has a user, or everybody, looked up anew: after a password has changed. */
  forget(user?: string): void;
}

interface Entry<T> {
  readonly value: T;
  readonly until: number;
}

/** Remembers what a function gave for a key, and asks it once where several ask at once. */
class Cache<T> {
  readonly #found: BoundedMap<Entry<T>>;
  readonly #missing: BoundedMap<Entry<undefined>>;
  readonly #asked = new Map<string, Promise<T | undefined>>();
  readonly #options: Required<CacheOptions>;

  constructor(options: Required<CacheOptions>) {
    const isOver = ({ until }: Entry<unknown>, now: number): boolean => now >= until;
    this.#options = options;
    this.#found = new BoundedMap<Entry<T>>(options.max, isOver, () => {});
    // Apart, so that whoever asks for many who don't exist pushes nobody out who does.
    this.#missing = new BoundedMap<Entry<undefined>>(options.max, isOver, () => {});
  }

  get(key: string, look: () => Awaitable<T | undefined>): Awaitable<T | undefined> {
    const now = this.#options.clock.now();
    const entry = this.#found.get(key) ?? this.#missing.get(key);
    if (entry !== undefined && now < entry.until) return entry.value;
    const asked = this.#asked.get(key);
    if (asked !== undefined) return asked;
    const value = look();
    if (!isPromise(value)) return this.#keep(key, value);
    const promise: Promise<T | undefined> = value.then(
      (found) => {
        // Forgotten meanwhile: it may be older than what made somebody forget it.
        if (this.#asked.get(key) !== promise) return found;
        this.#asked.delete(key);
        return this.#keep(key, found);
      },
      (error: unknown) => {
        if (this.#asked.get(key) === promise) this.#asked.delete(key);
        throw error;
      },
    );
    this.#asked.set(key, promise);
    return promise;
  }

  forget(isMeant: (key: string) => boolean): void {
    for (const [key] of this.#found) if (isMeant(key)) this.#found.delete(key);
    for (const [key] of this.#missing) if (isMeant(key)) this.#missing.delete(key);
    for (const key of this.#asked.keys()) if (isMeant(key)) this.#asked.delete(key);
  }

  #keep(key: string, given: T | undefined): T | undefined {
    const { clock, ttl, negativeTtl } = this.#options;
    const now = clock.now();
    // What untyped code gives for nobody.
    const value = given ?? undefined;
    if (value === undefined) {
      this.#found.delete(key);
      this.#missing.set(key, { value, until: now + negativeTtl }, now);
    } else {
      this.#missing.delete(key);
      this.#found.set(key, { value, until: now + ttl }, now);
    }
    return value;
  }
}

/**
 * A function of users that remembers what it gave, also that there is nobody of that name, and is asked once where
 * several ask for the same user at once. What throws or rejects is not remembered: the next one asks again.
 *
 * Throws `SIP_BAD_OPTION`.
 *
 * @example
 * const credentials = cached(sqlCredentials(pool, { query }), { ttl: 30_000 });
 */
export function cached(look: CredentialsFunction, options: CacheOptions = {}): CachedCredentials {
  const { ttl = 60_000, negativeTtl = 10_000, max = 10_000, clock = systemClock } = options;
  for (const [name, value] of Object.entries({ ttl, negativeTtl, max })) {
    if (!(Number.isFinite(value) && value >= 1)) {
      throw new SipError("SIP_BAD_OPTION", `${name} must be 1 or more`);
    }
  }
  const checked = { ttl, negativeTtl, max, clock };
  const users = new Cache<Credential>(checked);
  const names = new Cache<string>(checked);
  const ask = (user: string, realm: string): Awaitable<Credential | undefined> =>
    users.get(keyOf(realm, user), () => look(user, realm));
  const forget = (user?: string): void => {
    users.forget((key) => user === undefined || key.slice(key.indexOf("\0") + 1) === user);
    names.forget(() => true);
  };
  if (look.userOfHash === undefined) return Object.assign(ask, { forget });
  const userOfHash: CredentialsFunction["userOfHash"] = (userhash, realm, algorithm) =>
    names.get(keyOf(realm, `${algorithm} ${userhash}`), () =>
      look.userOfHash?.(userhash, realm, algorithm),
    );
  return Object.assign(ask, { forget, userOfHash });
}

/** The realm is the operator's own, so what a stranger writes stands last. */
function keyOf(realm: string, asked: string): string {
  return `${realm}\0${asked}`;
}
