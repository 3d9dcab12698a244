import { type Awaitable, DomainNames } from "@sipkit/core";
import { type AlgorithmChoice, type Algorithms, algorithmsOf } from "./algorithm-choice.ts";
import type { BearerOptions } from "./bearer.ts";
import { quotable } from "./challenge.ts";
import { checkOption } from "./check-option.ts";
import type { Credentials } from "./credentials.ts";
import type { Qop } from "./digest.ts";
import { type FilterTable, filterNames, listOf } from "./filter.ts";
import type { Secret } from "./nonces.ts";
import { type DigestUri, digestUris } from "./uri-match.ts";

/**
 * More addresses-of-record that users may register, besides their own: by user name, or from a function that may
 * answer later. Each is a SIP URI.
 */
export type MayRegister =
  | Readonly<Record<string, string | readonly string[]>>
  | ((user: string, realm: string) => Awaitable<string | readonly string[] | undefined>);

interface CommonOptions {
  /** The name of the protection space, which clients show their users: best the domain. */
  readonly realm: string;
  /** A text that clients send back unchanged. Default: none. It isn't checked: the nonce says it all. */
  readonly opaque?: string;
  /**
   * One challenge for each, the preferred one first; by User-Agent or by request where that must be
   * ({@link AlgorithmChoice}). Default: `["MD5"]`, because widespread clients give up at a challenge of another algorithm
   * wherever it stands (baresip 1.0 does), or can answer nothing else (Net::SIP). Where no such client is about,
   * `["SHA-256", "MD5"]`; an htdigest file must then hold both.
   *
   * RFC 8760 §2.3
   */
  readonly algorithms?: AlgorithmChoice;
  /**
   * What digests may cover: `"auth"` method and URI, `"auth-int"` the body too. Only what is offered is accepted. Default:
   * `["auth"]`, since whatever rewrites bodies on the way, as an ALG does, breaks the other.
   *
   * RFC 7616 §3.3
   */
  readonly qop?: readonly Qop[];
  /**
   * Whether clients may send the hash of their name in its place. A record and an htdigest file are indexed for it, a
   * function needs a `userOfHash`. Default: false.
   *
   * RFC 7616 §3.4.4
   */
  readonly userhash?: boolean;
  /**
   * Conditions by method after the digest was right. What the table doesn't name keeps its default: for REGISTER to
   * this server none besides `mayRegister`, for all else `["FromIsRealm", "FromIsAuthUser"]`, so that nobody calls
   * under another's name. `{ "*": [] }` asks for nothing.
   */
  readonly filter?: FilterTable;
  /** Who may register more than his own address-of-record. Default: nobody. */
  readonly mayRegister?: MayRegister;
  /**
   * The domains at which a user of this realm speaks for his own name: names, or `*.example.com` for every name below
   * it. Default: the realm, when that is a domain of the server's; else every domain of the server.
   */
  readonly domains?: readonly string[];
  /**
   * Requests from strangers to users of our domains pass, without an identity, unless From claims a domain of ours.
   * Default: false.
   */
  readonly allowCallsToUs?: boolean;
  /** OPTIONS that ask the server itself pass, as monitors send them. Default: false. */
  readonly allowPings?: boolean;
  /** How long a nonce can be used, in seconds. Default: 300. */
  readonly nonceLifetime?: number;
  /**
   * How many used nonces are remembered, each in 68 to 76 bytes. When there are more the oldest are forgotten and count
   * as stale, with all that were made before them. Default: 100,000.
   */
  readonly maxNonces?: number;
  /**
   * The key of the nonces, or several: the first makes them, all of them know them again. Default: a random one. Given,
   * and kept, a nonce of an earlier life, or of another server with the same key, is told from a forged one, so that
   * phones try again by themselves (`stale=true`). What was used is known only where the nonce was made: a balancer
   * must bring a client's answer to the server that challenged it.
   */
  readonly secret?: Secret | readonly Secret[];
  /** Whether each nonce can be used once, whatever its count. Default: false. RFC 7616 §5.4 */
  readonly oneTimeNonces?: boolean;
  /**
   * Whether a 2xx of this server to a request with right credentials says so in Authentication-Info: by a digest of its
   * own (`rspauth`), and by the next nonce where this one is used up or will soon be too old. Default: false, since it
   * costs each answer two hashes and some 150 bytes, and phones look at neither.
   *
   * RFC 7616 §3.5
   */
  readonly authenticationInfo?: boolean;
  /**
   * Whether credentials without `qop` are refused. Default: true: they are of 1997, and every client answers
   * `qop=auth` when it is offered. If false, a nonce without `qop` can be used once.
   */
  readonly requireQop?: boolean;
  /** Takes access tokens, too, or alone. Default: none. RFC 8898 */
  readonly bearer?: BearerOptions;
  /** Which `uri` a digest may be made over: {@link DigestUri}. Default: `"server"`. RFC 7616 §3.4.6 */
  readonly digestUri?: DigestUri;
}

/**
 * How `Authorize` proves who sends a request: by `credentials`, by an htdigest file, or by both in this order; by the
 * tokens of `bearer`.
 */
export type AuthorizeOptions = CommonOptions &
  (
    | { readonly credentials: Credentials; readonly htdigest?: string | undefined }
    | {
        readonly credentials?: Credentials | undefined;
        /**
         * The path of a file with a line `user:realm:HA1` for each user, as Apache's `htdigest` makes it: MD5 in 32 hex
         * digits, SHA-256 in 64. It is read when the server starts, and again when it changed. Users that it doesn't
         * have are looked for nowhere else.
         */
        readonly htdigest: string;
      }
    | {
        readonly credentials?: Credentials | undefined;
        readonly htdigest?: string | undefined;
        readonly bearer: BearerOptions;
      }
  );

/** Each is tried on a nonce that the others didn't make. */
const MAX_SECRETS = 8;

const qops: readonly Qop[] = ["auth", "auth-int"];

/** The options, and defaults where there are some. */
export type CheckedOptions = Required<
  Omit<CommonOptions, "algorithms" | "bearer" | "opaque" | "secret" | "mayRegister" | "domains">
> &
  Pick<CommonOptions, "opaque" | "mayRegister"> & {
    readonly algorithms: Algorithms;
    /** Empty: a random one. */
    readonly secrets: readonly Secret[];
    readonly domains: DomainNames | undefined;
  };

/** The options with their defaults. Throws `SIP_BAD_OPTION` or `SIP_BAD_DOMAIN`. */
export function checkOptions(options: AuthorizeOptions): CheckedOptions {
  const {
    realm,
    opaque,
    algorithms = ["MD5"],
    qop = ["auth"],
    userhash = false,
    filter = {},
    allowCallsToUs = false,
    allowPings = false,
    nonceLifetime = 300,
    maxNonces = 100_000,
    oneTimeNonces = false,
    authenticationInfo = false,
    requireQop = true,
    digestUri = "server",
    secret = [],
    domains,
  } = options;
  quotable("realm", realm);
  if (opaque !== undefined) quotable("opaque", opaque);
  checkOption(
    (options.credentials ?? options.htdigest ?? options.bearer) !== undefined,
    "credentials, htdigest or bearer must be given",
  );
  const chosen = algorithmsOf(algorithms);
  checkOption(
    options.htdigest === undefined ||
      typeof algorithms === "function" ||
      !chosen.hashes.includes("SHA-512-256"),
    "algorithms must not name SHA-512-256 beside htdigest: the file's HA1s are MD5 or SHA-256",
  );
  checkOption(
    qop.length > 0 && new Set(qop).size === qop.length && qop.every((one) => qops.includes(one)),
    `qop must be some of ${qops.join(", ")}, each once`,
  );
  for (const conditions of Object.values(filter)) {
    checkOption(
      listOf(conditions).every(
        (condition) => typeof condition === "function" || filterNames.includes(condition),
      ),
      `filter must hold functions and the names ${filterNames.join(", ")}`,
    );
  }
  checkOption(nonceLifetime > 0, "nonceLifetime must be a positive number of seconds");
  checkOption(Number.isInteger(maxNonces) && maxNonces > 0, "maxNonces must be a positive integer");
  const secrets = typeof secret === "string" || secret instanceof Uint8Array ? [secret] : secret;
  checkOption(
    secrets.every((key) => key.length > 0) && secrets.length <= MAX_SECRETS,
    `secret must not be empty, and ${MAX_SECRETS} at most`,
  );
  checkOption(digestUris.includes(digestUri), `digestUri must be one of ${digestUris.join(", ")}`);
  return {
    ...options,
    algorithms: chosen,
    qop: [...qop],
    userhash,
    filter,
    allowCallsToUs,
    allowPings,
    nonceLifetime,
    maxNonces,
    oneTimeNonces,
    authenticationInfo,
    requireQop,
    digestUri,
    secrets: [...secrets],
    domains: domains && new DomainNames(domains),
  };
}
