import { type HeaderField, ParseError, wwwAuthenticate } from "@sipkit/core";

/** The parameters of an Authentication-Info header, by lower-case name, without quotes. */
export type AuthenticationInfo = ReadonlyMap<string, string>;

const NAME = "Authentication-Info";
const UNQUOTED = new Set(["qop", "nc"]);

/**
 * What a server says of the credentials that it accepted: which nonce to use next, and a digest that proves it knows the
 * user, too.
 *
 * RFC 3261 §20.6, RFC 7616 §3.5
 */
export const authenticationInfo: HeaderField<AuthenticationInfo> = {
  name: NAME,
  parse: (value) => {
    try {
      // Written as a challenge, without the scheme before it.
      return wwwAuthenticate.parse(`Digest ${value}`).params;
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      throw new ParseError(`Malformed ${NAME}`, { header: NAME });
    }
  },
  format: (params) =>
    [...params]
      .map(([name, value]) =>
        UNQUOTED.has(name) ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, "\\$&")}"`,
      )
      .join(", "),
};
