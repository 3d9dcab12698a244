import type { HeaderField } from "../header-field.ts";
import { ALLOW } from "../header-names.ts";
import { textField } from "./known-field.ts";

/** The Allow header: one method that the sender answers. RFC 3261 §20.5 */
export const allow: HeaderField<string> = textField(ALLOW);
