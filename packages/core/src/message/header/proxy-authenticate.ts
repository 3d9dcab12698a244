import type { HeaderField } from "../header-field.ts";
import { PROXY_AUTHENTICATE } from "../header-names.ts";
import { authField, type Challenge } from "./auth-value.ts";

/** The Proxy-Authenticate header: a proxy's challenge. RFC 3261 §20.27 */
export const proxyAuthenticate: HeaderField<Challenge> = authField(PROXY_AUTHENTICATE);
