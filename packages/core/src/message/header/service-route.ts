import type { HeaderField } from "../header-field.ts";
import { SERVICE_ROUTE } from "../header-names.ts";
import type { NameAddr } from "../name-addr.ts";
import { nameAddrField } from "./known-field.ts";

/** The Service-Route header: the hops that a registered user's requests go over. RFC 3608 §5 */
export const serviceRoute: HeaderField<NameAddr> = nameAddrField(SERVICE_ROUTE);
