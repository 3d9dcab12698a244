import type { HeaderField } from "../header-field.ts";
import { ACCEPT } from "../header-names.ts";
import { textField } from "./known-field.ts";

/** The Accept header: one media range with its parameters, as written. RFC 3261 §20.1 */
export const accept: HeaderField<string> = textField(ACCEPT);
