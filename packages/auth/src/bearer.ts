import type { Awaitable, Server } from "@sipkit/core";

/** Whom a token proves. */
export interface TokenProof {
  /** The user's name in the realm: what a phone would send in a digest. */
  readonly user: string;
}

/**
 * Says what access tokens are worth; `jwtTokens` makes one for JWTs. One of your own can ask the server that made them
 * (RFC 7662), for tokens that say nothing by themselves.
 */
export interface TokenVerifier {
  /** Where clients get tokens: an https URI. RFC 8898 §4 */
  readonly authzServer: string;
  /** What a token must be good for: words with spaces between them. RFC 6749 §3.3 */
  readonly scope?: string | undefined;
  /**
   * Whom a token proves; else what is wrong with it, as clients are told. Throws, or rejects, where nobody can say: the
   * sender gets a 500.
   */
  verify(
    token: string,
    server: Server,
  ): Awaitable<TokenProof | "invalid_token" | "insufficient_scope">;
  /** Before the first token. */
  start?(server: Server): void | Promise<void>;
}

/** How `Authorize` takes access tokens. RFC 8898 */
export interface BearerOptions {
  readonly tokens: TokenVerifier;
  /**
   * Whether tokens are asked for and taken over every transport. Default: false, over TLS and secure WebSocket alone: who
   * reads a token on the way can use it.
   */
  readonly overPlainTransports?: boolean;
}
