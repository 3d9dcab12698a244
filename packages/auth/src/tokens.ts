import {
  type Awaitable,
  authorization,
  isPromise,
  proxyAuthorization,
  Reject,
  type Request,
  type Server,
  SipError,
} from "@sipkit/core";
import type { BearerOptions, TokenProof, TokenVerifier } from "./bearer.ts";
import { quotable } from "./challenge.ts";
import type { CredentialsField } from "./received-credentials.ts";

const BEARER = /^\s*bearer\s/i;
const TOKEN = /^\s*bearer[ \t]+([\w.~+/-]+=*)\s*$/i;

/** What is wrong with a token; `"none"`: there was none. */
export type TokenFault = "none" | "invalid_token" | "insufficient_scope";

/** The access tokens of a realm: found in requests, judged, asked for. RFC 8898 */
export class Tokens {
  readonly #verifier: TokenVerifier;
  readonly #isEverywhere: boolean;
  readonly #challenge: string;

  /** Throws `SIP_BAD_OPTION`. */
  constructor({ tokens, overPlainTransports = false }: BearerOptions, realm: string) {
    const { authzServer, scope } = tokens;
    if (!authzServer.startsWith("https:") || !URL.canParse(authzServer)) {
      throw new SipError("SIP_BAD_OPTION", "authzServer must be an https URI");
    }
    const wanted = scope === undefined ? "" : `, scope="${quotable("scope", scope)}"`;
    this.#verifier = tokens;
    this.#isEverywhere = overPlainTransports;
    this.#challenge =
      `Bearer realm="${realm}"${wanted}, ` +
      `authz_server="${quotable("authzServer", authzServer)}"`;
  }

  start(server: Server): void | Promise<void> {
    return this.#verifier.start?.(server);
  }

  /** Whether tokens may come and be asked for the way that a request came. */
  areTakenOf({ arrival }: Request): boolean {
    const protocol = arrival?.from.protocol;
    return this.#isEverywhere || protocol === "tls" || protocol === "wss";
  }

  /**
   * The token of a request: in the header of our role, or in Authorization, as RFC 8898 §2.1.4 has clients write it
   * whoever asks. Of several none is.
   */
  of(request: Request, field: CredentialsField): string | undefined {
    const own = tokensIn(request, field);
    const tokens = own.length > 0 ? own : tokensIn(request, authorization);
    return tokens.length === 1 && this.areTakenOf(request)
      ? TOKEN.exec(tokens[0] ?? "")?.[1]
      : undefined;
  }

  /** What a token is worth. */
  judge(token: string, server: Server): Awaitable<TokenProof | Exclude<TokenFault, "none">> {
    const fail = (cause: unknown): never => {
      if (cause instanceof Reject) throw cause;
      throw new SipError("SIP_TOKENS_FAILED", "a token could not be verified", { cause });
    };
    try {
      const proof = this.#verifier.verify(token, server);
      return isPromise(proof) ? proof.then(undefined, fail) : proof;
    } catch (error) {
      return fail(error);
    }
  }

  /** How many bytes our challenge takes at most. */
  get longest(): number {
    return Buffer.byteLength(this.#challengeFor("insufficient_scope"));
  }

  /**
   * Our challenge and those of Digest: behind them, for clients that read the first one alone; over UDP before them, since
   * there it is the first that is left out for want of room.
   */
  amid(digests: readonly string[], request: Request, fault: TokenFault): readonly string[] {
    const ours = this.#challengeFor(fault);
    return request.arrival?.from.protocol === "udp" ? [ours, ...digests] : [...digests, ours];
  }

  /** Takes the tokens out of a request, so that nobody behind us can use them. */
  remove({ headers }: Request): void {
    for (const { name } of [authorization, proxyAuthorization]) {
      if (!headers.has(name)) continue;
      const lines = headers.getAll(name);
      const others = lines.filter((line) => !BEARER.test(line));
      if (others.length === 0) headers.delete(name);
      else if (others.length < lines.length) headers.set(name, others);
    }
  }

  /** RFC 8898 §4, RFC 6750 §3 */
  #challengeFor(fault: TokenFault): string {
    return fault === "none" ? this.#challenge : `${this.#challenge}, error="${fault}"`;
  }
}

function tokensIn({ headers }: Request, { name }: CredentialsField): readonly string[] {
  return headers.has(name) ? headers.getAll(name).filter((line) => BEARER.test(line)) : [];
}
