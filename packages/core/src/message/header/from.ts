import type { HeaderField } from "../header-field.ts";
import { FROM } from "../header-names.ts";
import type { NameAddr } from "../name-addr.ts";
import { nameAddrField } from "./known-field.ts";

/** The From header: who a request is from, as he says himself. RFC 3261 §20.20 */
export const from: HeaderField<NameAddr> = nameAddrField(FROM);
