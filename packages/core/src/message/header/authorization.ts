import type { HeaderField } from "../header-field.ts";
import { AUTHORIZATION } from "../header-names.ts";
import { authField, type Credentials } from "./auth-value.ts";

/** The Authorization header: credentials for a server. RFC 3261 §20.7 */
export const authorization: HeaderField<Credentials> = authField(AUTHORIZATION);
