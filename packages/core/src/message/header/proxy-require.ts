import type { HeaderField } from "../header-field.ts";
import { PROXY_REQUIRE } from "../header-names.ts";
import { optionField } from "./known-field.ts";

/** The Proxy-Require header: one extension that a proxy must understand. RFC 3261 §20.29 */
export const proxyRequire: HeaderField<string> = optionField(PROXY_REQUIRE);
