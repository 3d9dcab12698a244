import type { HeaderField } from "../header-field.ts";
import { ROUTE } from "../header-names.ts";
import type { NameAddr } from "../name-addr.ts";
import { nameAddrField } from "./known-field.ts";

/** The Route header: the hops that a request has still to go over. RFC 3261 §20.34 */
export const route: HeaderField<NameAddr> = nameAddrField(ROUTE);
