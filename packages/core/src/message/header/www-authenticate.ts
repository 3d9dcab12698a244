import type { HeaderField } from "../header-field.ts";
import { WWW_AUTHENTICATE } from "../header-names.ts";
import { authField, type Challenge } from "./auth-value.ts";

/** The WWW-Authenticate header: a server's challenge. RFC 3261 §20.44 */
export const wwwAuthenticate: HeaderField<Challenge> = authField(WWW_AUTHENTICATE);
