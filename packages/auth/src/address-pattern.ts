import {
  canonicalHost,
  DomainNames,
  parseUri,
  type Server,
  SipError,
  unescapeUser,
} from "@sipkit/core";

/** A number as people write it: what separates its digits is for the eye. RFC 3966 §5.1.1 */
const NUMBER = /^(\+?[0-9][0-9.()-]*)(?:;|$)/;

/**
 * What addresses look like: `sip:bob@example.com`, `sip:+49*@example.com`, `sip:*@*.example.com`, `tel:+49*`,
 * `sip:911@*`, `sip:example.com` for one without a user. It stands for `sips:` as well. A star ends a user or a number,
 * or is one; in a host it is the first label, or all.
 */
export class AddressPattern {
  readonly #isTel: boolean;
  /** `undefined`: no user at all. */
  readonly #user: string | undefined;
  /** `undefined`: any. */
  readonly #hosts: DomainNames | undefined;

  /** Throws `SIP_BAD_OPTION` or `SIP_BAD_DOMAIN`. */
  constructor(pattern: string) {
    const [, scheme, rest = ""] = /^(sip|tel):(.+)$/.exec(pattern) ?? [];
    const at = rest.lastIndexOf("@");
    this.#isTel = scheme === "tel";
    this.#user = this.#isTel ? rest : at < 0 ? undefined : rest.slice(0, at);
    const star = this.#user?.indexOf("*") ?? -1;
    if (
      scheme === undefined ||
      this.#user === "" ||
      (star >= 0 && star + 1 !== this.#user?.length)
    ) {
      throw new SipError("SIP_BAD_OPTION", `not a pattern: ${JSON.stringify(pattern)}`);
    }
    const host = rest.slice(at + 1);
    this.#hosts = this.#isTel || host === "*" ? undefined : new DomainNames([host]);
  }

  /** Whether a URI is one of these; never for one that can't be read. An alias of ours is the domain it stands for. */
  matches(text: string, server: Pick<Server, "addressOfRecord">): boolean {
    let uri: ReturnType<typeof parseUri>;
    try {
      uri = parseUri(text);
    } catch {
      return false;
    }
    if ("number" in uri) return this.#isTel && this.#isUser(uri.number);
    if (!("host" in uri) || this.#isTel) return false;
    const address = server.addressOfRecord(text);
    const host = address?.slice(address.lastIndexOf("@") + 1) ?? canonicalHost(uri.host);
    if (this.#hosts !== undefined && !this.#hosts.has(host)) return false;
    return this.#isUser(uri.user === undefined ? undefined : unescapeUser(uri.user));
  }

  #isUser(written: string | undefined): boolean {
    const pattern = this.#user;
    if (written === undefined || pattern === undefined) return written === pattern;
    const user = NUMBER.exec(written)?.[1]?.replace(/[.()-]/g, "") ?? written;
    return pattern.endsWith("*") ? user.startsWith(pattern.slice(0, -1)) : user === pattern;
  }
}
