import { SipError } from "@sipkit/core";
import type * as Jose from "jose";

/** What is used of the `jose` package. */
export type JoseModule = Pick<
  typeof Jose,
  "compactDecrypt" | "createLocalJWKSet" | "createRemoteJWKSet" | "jwtVerify"
>;

/** Loads the `jose` package, which only those need who take tokens. Rejects with `SIP_NO_JOSE` where it isn't installed. */
export async function loadJose(
  load: () => Promise<JoseModule> = () => import("jose"),
): Promise<JoseModule> {
  try {
    return await load();
  } catch (cause) {
    throw new SipError("SIP_NO_JOSE", "jwtTokens needs the jose package: npm install jose", {
      cause,
    });
  }
}
