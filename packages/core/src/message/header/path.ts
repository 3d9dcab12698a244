import type { HeaderField } from "../header-field.ts";
import { PATH } from "../header-names.ts";
import type { NameAddr } from "../name-addr.ts";
import { nameAddrField } from "./known-field.ts";

/** The Path header: the hops between a registrar and a contact. RFC 3327 §4 */
export const path: HeaderField<NameAddr> = nameAddrField(PATH);
