import type { HeaderField } from "../header-field.ts";
import { MAX_FORWARDS } from "../header-names.ts";
import { numberField } from "./seconds.ts";

/** The Max-Forwards header: how many more hops, 0 to 255. RFC 3261 §20.22 */
export const maxForwards: HeaderField<number> = numberField(MAX_FORWARDS, 255);
