import { type Awaitable, detach, isPromise, type Request, type Server } from "@sipkit/core";
import { type Algorithm, digitsOf, hashHex } from "./algorithm.ts";
import type { CheckedOptions } from "./authorize-options.ts";
import { formatChallenge } from "./challenge.ts";
import { ConstantTime } from "./constant-time.ts";
import type { Ha1Source } from "./credentials.ts";
import { digestResponse, ha2Of } from "./digest.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { NonceTable } from "./nonce-table.ts";
import { type Nonce, Nonces } from "./nonces.ts";
import type { ReceivedCredentials } from "./received-credentials.ts";

/**
 * What credentials are worth.
 *
 * - `right`: they prove the user, for this request
 * - `stale`: they were right, but their nonce is too old or was used for something else
 * - `wrong`: not the user's digest, or not a nonce of ours
 */
export type Worth = "right" | "stale" | "wrong";

type RealmOptions = Pick<
  CheckedOptions,
  "realm" | "opaque" | "algorithms" | "nonceLifetime" | "maxNonces" | "requireQop" | "secret"
>;

/** What is needed for each algorithm. */
interface Hash {
  /** The HA1 of nobody: a user who doesn't exist costs what one with a wrong password does. */
  readonly decoy: string;
  readonly comparison: ConstantTime;
}

/** A protection space: makes its challenges and judges the answers. RFC 7616 §3.3, §3.4 */
export class Realm {
  readonly #options: RealmOptions;
  readonly #sources: readonly Ha1Source[];
  readonly #nonces: Nonces;
  readonly #used: NonceTable;
  readonly #fingerprintKey: string;
  readonly #hashes: ReadonlyMap<Algorithm, Hash>;
  #lastHa2 = { method: "", uri: "", algorithm: "MD5" as Algorithm, ha2: "" };

  /** `onEvict` is called when a nonce is forgotten before its time. */
  constructor(
    options: RealmOptions,
    sources: readonly Ha1Source[],
    { node, epoch, random }: Pick<Server, "node" | "epoch" | "random">,
    onEvict: () => void,
  ) {
    const { realm, algorithms, maxNonces, nonceLifetime, secret = random.bytes(32) } = options;
    this.#options = options;
    this.#sources = sources;
    this.#nonces = new Nonces({ secret, realm, node, epoch, random });
    this.#used = new NonceTable({ size: maxNonces, lifetime: 1000 * nonceLifetime, onEvict });
    this.#fingerprintKey = random.token();
    this.#hashes = new Map(
      algorithms.map((algorithm) => [
        algorithm,
        {
          decoy: hashHex(algorithm, random.token()),
          comparison: new ConstantTime(digitsOf(algorithm)),
        },
      ]),
    );
  }

  /** A challenge for each algorithm, with one new nonce. */
  challenges(stale: boolean, now: number): readonly string[] {
    const { realm, opaque, algorithms } = this.#options;
    const nonce = this.#nonces.make(now);
    return algorithms.map((algorithm) =>
      formatChallenge({ realm, nonce, algorithm, opaque, stale }),
    );
  }

  /** Judges the credentials of a request that came at `now`. */
  judge(request: Request, credentials: ReceivedCredentials, now: number): Awaitable<Worth> {
    const { qop, user, algorithm } = credentials;
    const nonce = this.#nonces.read(credentials.nonce);
    if (nonce === undefined) return "wrong";
    if (qop === undefined ? this.#options.requireQop : qop.toLowerCase() !== "auth") return "wrong";
    const ha1 = this.#find(user, algorithm, 0);
    return isPromise(ha1)
      ? ha1.then((found) => this.#compare(request, credentials, nonce, found, now))
      : this.#compare(request, credentials, nonce, ha1, now);
  }

  /** How many used nonces are remembered. */
  remembered(now: number): number {
    return this.#used.remembered(now);
  }

  #find(user: string, algorithm: Algorithm, from: number): Awaitable<string | undefined> {
    for (let i = from; i < this.#sources.length; i++) {
      const ha1 = this.#sources[i]?.ha1(user, algorithm);
      if (isPromise(ha1)) return ha1.then((found) => found ?? this.#find(user, algorithm, i + 1));
      if (ha1 !== undefined) return ha1;
    }
    return undefined;
  }

  #compare(
    request: Request,
    credentials: ReceivedCredentials,
    nonce: Nonce,
    ha1: string | undefined,
    now: number,
  ): Worth {
    const { algorithm, response, count, uri } = credentials;
    const { decoy, comparison } = this.#hashes.get(algorithm) as Hash;
    const ha2 = this.#ha2Of(request.method, uri, algorithm);
    const expected = digestResponse(ha1 ?? decoy, ha2, credentials);
    if (!comparison.equal(expected, response.toLowerCase())) return "wrong";
    if (!nonce.own) return "stale";
    // Only now: a stranger must not use up a user's nonce.
    const use = this.#used.use(nonce, count, fingerprintOf(request, this.#fingerprintKey), now);
    return use === "stale" ? "stale" : "right";
  }

  /** Registrations of one domain, most of what comes, all have the same HA2. */
  #ha2Of(method: string, uri: string, algorithm: Algorithm): string {
    const last = this.#lastHa2;
    if (last.uri === uri && last.method === method && last.algorithm === algorithm) return last.ha2;
    const ha2 = ha2Of(method, uri, algorithm);
    this.#lastHa2 = { method: detach(method), uri: detach(uri), algorithm, ha2 };
    return ha2;
  }
}
