import type { HeaderField } from "../header-field.ts";
import { RECORD_ROUTE } from "../header-names.ts";
import type { NameAddr } from "../name-addr.ts";
import { nameAddrField } from "./known-field.ts";

/** The Record-Route header: the proxies that want to stay on the path. RFC 3261 §20.30 */
export const recordRoute: HeaderField<NameAddr> = nameAddrField(RECORD_ROUTE);
