import type { HeaderField } from "../header-field.ts";
import { MIN_EXPIRES } from "../header-names.ts";
import { secondsField } from "./seconds.ts";

/** The Min-Expires header, in seconds. RFC 3261 §20.23 */
export const minExpires: HeaderField<number> = secondsField(MIN_EXPIRES);
