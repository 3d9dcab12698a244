export { type Identity, identity } from "@sipkit/core";
export type { Algorithm, HashAlgorithm } from "./algorithm.ts";
export type { AlgorithmChoice } from "./algorithm-choice.ts";
export { type AuthFailure, failureLine } from "./auth-failure.ts";
export { type AuthClaim, type AuthGuard, type AuthOutcome, authGuard } from "./auth-guard.ts";
export { Authorize } from "./authorize.ts";
export type { AuthorizeOptions, MayRegister } from "./authorize-options.ts";
export type { BackOffOptions } from "./back-off.ts";
export type { Credential, Credentials, CredentialsFunction } from "./credentials.ts";
export { ha1Of, type Qop } from "./digest.ts";
export {
  type AuthorizeRequestOptions,
  authorize,
  type ClientCredential,
  type ClientCredentials,
} from "./digest-client.ts";
export type { Filter, FilterName, FilterTable, Predicate } from "./filter.ts";
export type { Secret } from "./nonces.ts";
export type { RateOptions } from "./request-rate.ts";
export { Throttle } from "./throttle.ts";
export type { ThrottleOptions } from "./throttle-options.ts";
export type { DigestUri } from "./uri-match.ts";
