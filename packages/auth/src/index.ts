export { type Identity, identity } from "@sipkit/core";
export type { Algorithm, HashAlgorithm } from "./algorithm.ts";
export type { AlgorithmChoice } from "./algorithm-choice.ts";
export { Authorize } from "./authorize.ts";
export type { AuthorizeOptions, MayRegister } from "./authorize-options.ts";
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
export type { DigestUri } from "./uri-match.ts";
