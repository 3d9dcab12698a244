import type { HeaderField } from "../header-field.ts";
import { TO } from "../header-names.ts";
import type { NameAddr } from "../name-addr.ts";
import { nameAddrField } from "./known-field.ts";

/** The To header: who a request is for in the end. RFC 3261 §20.39 */
export const to: HeaderField<NameAddr> = nameAddrField(TO);
