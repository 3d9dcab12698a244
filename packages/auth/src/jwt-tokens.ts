import type { KeyObject } from "node:crypto";
import { type Server, SipError } from "@sipkit/core";
import type * as Jose from "jose";
import { isAskable } from "./askable-user.ts";
import type { TokenProof, TokenVerifier } from "./bearer.ts";
import { type JoseModule, loadJose } from "./jose-module.ts";

/** What {@link jwtTokens} takes for a token. */
export interface JwtOptions {
  /** Who makes the tokens: the claim `iss`, letter for letter. */
  readonly issuer: string;
  /** Whom they are for, one of these: the claim `aud`. */
  readonly audience: string | string[];
  /** The issuer's public keys: where they are, or the keys themselves as a JSON Web Key Set. */
  readonly keys: URL | { readonly keys: readonly object[] };
  /** Where clients get tokens. Default: the issuer. */
  readonly authzServer?: string;
  /** What a token must be good for: words with spaces between them, all of which its claim `scope` must have. */
  readonly scope?: string;
  /** The user's name: the claim of that name, or what a function makes of them. Default: `"sub"`. */
  readonly user?: string | ((claims: Readonly<Record<string, unknown>>) => string | undefined);
  /** Signatures that are taken. Default: RS256, PS256, ES256 and EdDSA. */
  readonly algorithms?: readonly string[];
  /** This server's private key, for tokens that are encrypted for it, as RFC 8898 §2.1.2 has it; or it as a JWK. */
  readonly decryptWith?: KeyObject | object;
  /** The type that the token's head must name, as `at+jwt` (RFC 9068). Default: any. */
  readonly type?: string;
  /** By how many seconds the issuer's clock may differ. Default: 5. */
  readonly tolerance?: number;
  /** How long the keys may take to come, in milliseconds. Default: 2000. */
  readonly timeout?: number;
}

/** Errors that say of a token that it is none of ours; all others are of the keys. */
const FAULTS: ReadonlySet<string> = new Set([
  "ERR_JWT_EXPIRED",
  "ERR_JWT_CLAIM_VALIDATION_FAILED",
  "ERR_JWT_INVALID",
  "ERR_JWS_INVALID",
  "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
  "ERR_JWE_INVALID",
  "ERR_JWE_DECRYPTION_FAILED",
  "ERR_JWKS_NO_MATCHING_KEY",
  "ERR_JWKS_MULTIPLE_MATCHING_KEYS",
  "ERR_JOSE_ALG_NOT_ALLOWED",
  "ERR_JOSE_NOT_SUPPORTED",
]);

/** How long no keys are asked for again after an unknown one, and after how long known ones are, in milliseconds. */
const COOLDOWN = 30_000;
const KEYS_KEPT = 600_000;

/**
 * Takes JSON Web Tokens that an issuer has signed for this server, and that have an end. Keys are asked for over HTTP when
 * the first token comes, every ten minutes, and when one is signed by a key that isn't known, but not within half a
 * minute of the last time. Needs the package `jose`.
 *
 * Throws `SIP_BAD_OPTION`.
 *
 * RFC 8898, RFC 7519, RFC 9068
 *
 * @example
 * new Authorize({
 *   realm: "example.com",
 *   bearer: {
 *     tokens: jwtTokens({
 *       issuer: "https://login.example.com",
 *       audience: "sip:example.com",
 *       keys: new URL("https://login.example.com/jwks.json"),
 *     }),
 *   },
 * });
 */
export function jwtTokens(options: JwtOptions): TokenVerifier {
  return new JwtTokens(options);
}

class JwtTokens implements TokenVerifier {
  readonly authzServer: string;
  readonly scope: string | undefined;
  readonly #options: JwtOptions;
  readonly #scopes: readonly string[];
  #jose: { readonly module: JoseModule; readonly keys: Jose.JWTVerifyGetKey } | undefined;

  constructor(options: JwtOptions) {
    const { issuer, audience, authzServer = issuer, scope, algorithms = [] } = options;
    if (issuer === "" || audience.length === 0) {
      throw new SipError("SIP_BAD_OPTION", "issuer and audience must be given");
    }
    if (algorithms.some((name) => name === "none" || name.startsWith("HS"))) {
      throw new SipError("SIP_BAD_OPTION", "algorithms must be of public keys");
    }
    this.authzServer = authzServer;
    this.scope = scope;
    this.#options = options;
    this.#scopes = words(scope);
  }

  async start(): Promise<void> {
    const module = await loadJose();
    const { keys, timeout = 2000 } = this.#options;
    this.#jose = {
      module,
      keys:
        keys instanceof URL
          ? module.createRemoteJWKSet(keys, {
              timeoutDuration: timeout,
              cooldownDuration: COOLDOWN,
              cacheMaxAge: KEYS_KEPT,
            })
          : module.createLocalJWKSet(keys as Jose.JSONWebKeySet),
    };
  }

  async verify(
    token: string,
    server: Server,
  ): Promise<TokenProof | "invalid_token" | "insufficient_scope"> {
    let claims: Jose.JWTPayload;
    try {
      claims = await this.#claimsOf(token, server);
    } catch (error) {
      const { code } = error as { readonly code?: unknown };
      if (typeof code === "string" && FAULTS.has(code)) return "invalid_token";
      throw error;
    }
    const has = new Set(words(claims.scope));
    if (!this.#scopes.every((word) => has.has(word))) return "insufficient_scope";
    const { user: name = "sub" } = this.#options;
    const user = typeof name === "string" ? claims[name] : name(claims);
    return typeof user === "string" && isAskable(user) ? { user } : "invalid_token";
  }

  async #claimsOf(token: string, server: Server): Promise<Jose.JWTPayload> {
    const jose = this.#jose;
    if (jose === undefined) throw new SipError("SIP_NOT_STARTED", "jwtTokens was not started");
    const {
      issuer,
      audience,
      type,
      decryptWith,
      tolerance = 5,
      algorithms = ["RS256", "PS256", "ES256", "EdDSA"],
    } = this.#options;
    let signed: string | Uint8Array = token;
    if (decryptWith !== undefined && token.split(".").length === 5) {
      signed = (await jose.module.compactDecrypt(token, decryptWith as Jose.CryptoKey)).plaintext;
    }
    const { payload } = await jose.module.jwtVerify(signed, jose.keys, {
      issuer,
      audience,
      algorithms: [...algorithms],
      clockTolerance: tolerance,
      requiredClaims: ["exp"],
      // biome-ignore lint/style/noRestrictedGlobals: it hands the Clock's time on
      currentDate: new Date(server.clock.wall()),
      ...(type !== undefined && { typ: type }),
    });
    return payload;
  }
}

/** Scopes are words in a text, or in a list, as some issuers have it. */
function words(scope: unknown): readonly string[] {
  if (Array.isArray(scope)) return scope.filter((word) => typeof word === "string");
  return typeof scope === "string" ? scope.split(" ").filter((word) => word !== "") : [];
}
