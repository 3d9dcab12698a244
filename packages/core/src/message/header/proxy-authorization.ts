import type { HeaderField } from "../header-field.ts";
import { PROXY_AUTHORIZATION } from "../header-names.ts";
import { authField, type Credentials } from "./auth-value.ts";

/** The Proxy-Authorization header: credentials for a proxy. RFC 3261 §20.28 */
export const proxyAuthorization: HeaderField<Credentials> = authField(PROXY_AUTHORIZATION);
