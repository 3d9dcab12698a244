export { type Identity, identity } from "@sipkit/core";
export type { Algorithm, HashAlgorithm } from "./algorithm.ts";
export type { AlgorithmChoice } from "./algorithm-choice.ts";
export { AssertedIdentity, type AssertedIdentityOptions } from "./asserted-identity.ts";
export { type AuthFailure, failureLine } from "./auth-failure.ts";
export { type AuthClaim, type AuthGuard, type AuthOutcome, authGuard } from "./auth-guard.ts";
export { Authorize } from "./authorize.ts";
export type { AuthorizeOptions, MayRegister } from "./authorize-options.ts";
export { type AuthorizeRequestOptions, authorize } from "./authorize-request.ts";
export type { BackOffOptions } from "./back-off.ts";
export type { BearerOptions, TokenProof, TokenVerifier } from "./bearer.ts";
export type { ClientCredential, ClientCredentials } from "./client-credentials.ts";
export { type CachedCredentials, type CacheOptions, cached } from "./credential-cache.ts";
export type { Credential, Credentials, CredentialsFunction } from "./credentials.ts";
export { ha1Of, type Qop } from "./digest.ts";
export { DigestClient, type DigestClientOptions, type ServerProof } from "./digest-client.ts";
export type { Filter, FilterName, FilterTable, Predicate } from "./filter.ts";
export { type HttpCredentialsOptions, httpCredentials } from "./http-credentials.ts";
export { type JwtOptions, jwtTokens } from "./jwt-tokens.ts";
export type { Secret } from "./nonces.ts";
export { allOf, anyOf, anyone, authenticated, not, type Permission } from "./permission.ts";
export {
  anonymousFrom,
  calls,
  certifiedAs,
  comesFrom,
  memberOf,
  speaksAs,
} from "./permissions-by.ts";
export { Permit, type PermitTable } from "./permit.ts";
export type { RateOptions } from "./request-rate.ts";
export { type SqlCredentialsOptions, type SqlDatabase, sqlCredentials } from "./sql-credentials.ts";
export { Throttle } from "./throttle.ts";
export type { ThrottleOptions } from "./throttle-options.ts";
export { type TrustedPeer, TrustedPeers, trustedPeer } from "./trusted-peers.ts";
export type { DigestUri } from "./uri-match.ts";
