import type { HeaderField } from "../header-field.ts";
import { EXPIRES } from "../header-names.ts";
import { secondsField } from "./seconds.ts";

/** The Expires header, in seconds. A registrar takes a malformed one for 3600 (§10.2). RFC 3261 §20.19 */
export const expires: HeaderField<number> = secondsField(EXPIRES);
