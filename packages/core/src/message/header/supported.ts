import type { HeaderField } from "../header-field.ts";
import { SUPPORTED } from "../header-names.ts";
import { optionField } from "./known-field.ts";

/** The Supported header: one extension that the sender understands. RFC 3261 §20.37 */
export const supported: HeaderField<string> = optionField(SUPPORTED);
