import type { HeaderField } from "../header-field.ts";
import { UNSUPPORTED } from "../header-names.ts";
import { optionField } from "./known-field.ts";

/** The Unsupported header: one extension that was required and isn't understood. RFC 3261 §20.40 */
export const unsupported: HeaderField<string> = optionField(UNSUPPORTED);
