import { type Awaitable, detach, isPromise, type Request, type Server } from "@sipkit/core";
import {
  type Algorithm,
  algorithms as allAlgorithms,
  digitsOf,
  hashHex,
  hashOf,
  isSession,
} from "./algorithm.ts";
import type { AuthenticationInfo } from "./authentication-info.ts";
import type { CheckedOptions } from "./authorize-options.ts";
import { type ChallengeWriter, challengeWriter } from "./challenge.ts";
import { ConstantTime } from "./constant-time.ts";
import type { Ha1Source } from "./credentials.ts";
import { digestKey, digestResponse, ha2Of } from "./digest.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { NonceTable } from "./nonce-table.ts";
import { type Nonce, Nonces } from "./nonces.ts";
import type { ReceivedCredentials } from "./received-credentials.ts";

/** Right credentials, and whom they prove. */
export interface Proof {
  readonly user: string;
  readonly credentials: ReceivedCredentials;
  readonly nonce: Nonce;
  /** What the digest is keyed with. */
  readonly key: string;
}

/**
 * What credentials are worth.
 *
 * - a proof: they are the user's, for this request
 * - `stale`: they were right, but their nonce was used for something else
 * - `old`: whatever they are, their nonce can't be used here (any more): no password was looked at
 * - `wrong`: not the user's digest
 * - `foreign`: not a nonce of ours, or a qop that wasn't offered: no password was looked at
 */
export type Judgement = Proof | "stale" | "old" | "wrong" | "foreign";

type RealmOptions = Pick<
  CheckedOptions,
  | "realm"
  | "opaque"
  | "qop"
  | "userhash"
  | "nonceLifetime"
  | "maxNonces"
  | "oneTimeNonces"
  | "requireQop"
  | "secrets"
>;

/** From which part of its lifetime on a nonce is followed by the next one. */
const NEAR_EXPIRY = 0.75;

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
  readonly #write: ChallengeWriter;
  readonly #nonces: Nonces;
  readonly #used: NonceTable;
  readonly #lifetime: number;
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
    const { realm, maxNonces, oneTimeNonces } = options;
    const [secret = random.bytes(32), ...earlier] = options.secrets;
    this.#options = options;
    this.#sources = sources;
    this.#write = challengeWriter(options);
    this.#lifetime = 1000 * options.nonceLifetime;
    this.#nonces = new Nonces({ secrets: [secret, ...earlier], realm, node, epoch, random });
    this.#used = new NonceTable({
      size: maxNonces,
      lifetime: this.#lifetime,
      oneTime: oneTimeNonces,
      onEvict,
    });
    this.#fingerprintKey = random.token();
    this.#hashes = new Map(
      allAlgorithms.map((algorithm) => [
        algorithm,
        {
          decoy: hashHex(algorithm, random.token()),
          comparison: new ConstantTime(digitsOf(algorithm)),
        },
      ]),
    );
  }

  /** A challenge for each algorithm, with one new nonce. */
  challenges(algorithms: readonly Algorithm[], stale: boolean, now: number): readonly string[] {
    const nonce = this.#nonces.make(now);
    return algorithms.map((algorithm) => this.#write(nonce, algorithm, stale));
  }

  /** Judges the credentials of a request that came at `now`. */
  judge(request: Request, credentials: ReceivedCredentials, now: number): Awaitable<Judgement> {
    const nonce = this.#nonces.read(credentials.nonce);
    if (nonce === undefined || !this.#offered(credentials.qop)) return "foreign";
    // RFC 7616 §3.3 lets an old nonce be called stale whatever the digest: who guesses passwords with one learns nothing.
    if (!nonce.own || now - nonce.madeAt > this.#lifetime) return "old";
    const { user, isHashed, algorithm } = credentials;
    const found = isHashed ? this.#findByHash(user, algorithm, 0) : undefined;
    if (isPromise(found)) {
      return found.then((known) => this.#judge(request, credentials, nonce, known, now));
    }
    return this.#judge(request, credentials, nonce, isHashed ? found : user, now);
  }

  /**
   * What a response to right credentials says of them. A session form keeps its nonce, which is in its key.
   *
   * RFC 7616 §3.5
   */
  infoOf({ credentials, nonce, key }: Proof, body: Uint8Array, now: number): AuthenticationInfo {
    const info = new Map<string, string>();
    const { algorithm, uri, qop, nc, cnonce } = credentials;
    if (qop !== undefined && nc !== undefined && cnonce !== undefined) {
      const isIntegrity = qop.toLowerCase() === "auth-int";
      const ha2 = ha2Of("", uri, algorithm, isIntegrity ? body : undefined);
      info.set("qop", qop);
      info.set("rspauth", digestResponse(key, ha2, credentials));
      info.set("cnonce", cnonce);
      info.set("nc", nc);
    }
    const isDue = this.#options.oneTimeNonces || now - nonce.madeAt > NEAR_EXPIRY * this.#lifetime;
    if (isDue && !isSession(algorithm)) info.set("nextnonce", this.#nonces.make(now));
    return info;
  }

  /** How many used nonces are remembered. */
  remembered(now: number): number {
    return this.#used.remembered(now);
  }

  /** Whether a qop was offered; none at all is where it need not be answered. */
  #offered(qop: string | undefined): boolean {
    if (qop === undefined) return !this.#options.requireQop;
    const lower = qop.toLowerCase();
    return this.#options.qop.some((one) => one === lower);
  }

  /** Goes on once the user's name is known; `undefined`: a hash of nobody's. */
  #judge(
    request: Request,
    credentials: ReceivedCredentials,
    nonce: Nonce,
    user: string | undefined,
    now: number,
  ): Awaitable<Judgement> {
    // Looked up for the time that it takes, also when it can't be right any more.
    const ha1 = this.#find(user ?? credentials.user, credentials.algorithm, 0);
    return isPromise(ha1)
      ? ha1.then((found) => this.#compare(request, credentials, nonce, user, found, now))
      : this.#compare(request, credentials, nonce, user, ha1, now);
  }

  #find(user: string, algorithm: Algorithm, from: number): Awaitable<string | undefined> {
    for (let i = from; i < this.#sources.length; i++) {
      const ha1 = this.#sources[i]?.ha1(user, hashOf(algorithm));
      if (isPromise(ha1)) return ha1.then((found) => found ?? this.#find(user, algorithm, i + 1));
      if (ha1 !== undefined) return ha1;
    }
    return undefined;
  }

  #findByHash(userhash: string, algorithm: Algorithm, from: number): Awaitable<string | undefined> {
    for (let i = from; i < this.#sources.length; i++) {
      const user = this.#sources[i]?.userOfHash?.(userhash, hashOf(algorithm));
      if (isPromise(user)) {
        return user.then((found) => found ?? this.#findByHash(userhash, algorithm, i + 1));
      }
      if (user !== undefined && user !== null) return user;
    }
    return undefined;
  }

  #compare(
    request: Request,
    credentials: ReceivedCredentials,
    nonce: Nonce,
    user: string | undefined,
    ha1: string | undefined,
    now: number,
  ): Judgement {
    const { algorithm, response, count } = credentials;
    const { decoy, comparison } = this.#hashes.get(algorithm) as Hash;
    const key = digestKey(ha1 ?? decoy, credentials);
    const expected = digestResponse(key, this.#ha2Of(request, credentials), credentials);
    const isRight = comparison.equal(expected, response.toLowerCase());
    if (!isRight || user === undefined || ha1 === undefined) return "wrong";
    // Only now: a stranger must not use up a user's nonce.
    const use = this.#used.use(nonce, count, fingerprintOf(request, this.#fingerprintKey), now);
    return use === "stale" ? "stale" : { user, credentials, nonce, key };
  }

  /** Registrations of one domain, most of what comes, all have the same HA2. */
  #ha2Of(request: Request, { uri, algorithm, qop }: ReceivedCredentials): string {
    const { method } = request;
    if (qop?.toLowerCase() === "auth-int") return ha2Of(method, uri, algorithm, request.body);
    const last = this.#lastHa2;
    if (last.uri === uri && last.method === method && last.algorithm === algorithm) return last.ha2;
    const ha2 = ha2Of(method, uri, algorithm);
    this.#lastHa2 = { method: detach(method), uri: detach(uri), algorithm, ha2 };
    return ha2;
  }
}
