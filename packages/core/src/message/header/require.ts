import type { HeaderField } from "../header-field.ts";
import { REQUIRE } from "../header-names.ts";
import { optionField } from "./known-field.ts";

/** The Require header: one extension that the other side must understand. RFC 3261 §20.32 */
export const require: HeaderField<string> = optionField(REQUIRE);
