import type { PeerCertificate } from "node:tls";
import type { Endpoint } from "./carrier.ts";
import { canonicalAddress, isAddressLiteral, parseHostPort } from "./host-port.ts";

const SIP = "sip:";

/**
 * The SIP domains that a certificate proves, lower-case: those of its `sip:` URIs without a user, else its DNS names,
 * else, where it has no subjectAltName at all, its common name.
 *
 * RFC 5922 §7.1
 */
export function sipIdentities(certificate: PeerCertificate): readonly string[] {
  const names = alternativeNames(certificate);
  if (names.length === 0) {
    // An attribute that comes twice is an array.
    return [certificate.subject?.CN ?? []].flat().flatMap(domainOf);
  }
  const domains = names.flatMap(({ type, value }) => (type === "URI" ? domainOfUri(value) : []));
  if (domains.length > 0) return [...new Set(domains)];
  return [...new Set(names.flatMap(({ type, value }) => (type === "DNS" ? domainOf(value) : [])))];
}

/**
 * Why a server's certificate doesn't prove that it is the one that was asked for: the domain where one led there, else
 * the address. `undefined` when it does.
 *
 * RFC 5922 §7.2, §7.3
 */
export function identityFault(
  certificate: PeerCertificate,
  { domain, host }: Pick<Endpoint, "domain" | "host">,
): string | undefined {
  if (domain === undefined || isAddressLiteral(domain)) {
    const address = canonicalAddress(domain ?? host);
    const proves = alternativeNames(certificate).some(
      ({ type, value }) => type === "IP Address" && canonicalAddress(value) === address,
    );
    return proves ? undefined : `its certificate doesn't name the address ${address}`;
  }
  const identities = sipIdentities(certificate);
  // Names match as a whole: neither a suffix nor a wildcard stands for another name.
  if (identities.includes(withoutRoot(domain.toLowerCase()))) return undefined;
  return `its certificate doesn't name ${domain}`;
}

interface AlternativeName {
  readonly type: string;
  readonly value: string;
}

/** The subjectAltName that Node gives as text, `DNS:a.example.com, URI:sip:example.com`: a value that could be misread is a JSON string. */
function alternativeNames({ subjectaltname = "" }: PeerCertificate): readonly AlternativeName[] {
  const names: AlternativeName[] = [];
  let at = 0;
  while (at < subjectaltname.length) {
    const colon = subjectaltname.indexOf(":", at);
    if (colon < 0) break;
    const type = subjectaltname.slice(at, colon);
    const end = valueEnd(subjectaltname, colon + 1);
    const text = subjectaltname.slice(colon + 1, end);
    names.push({ type, value: text.startsWith('"') ? unquoted(text) : text });
    at = end + 2; // past the comma and the space
  }
  return names;
}

function valueEnd(text: string, from: number): number {
  if (text[from] !== '"') {
    const comma = text.indexOf(", ", from);
    return comma < 0 ? text.length : comma;
  }
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return Math.min(at + 1, text.length);
}

/** What was quoted is no name of a domain; it is kept so that it counts as there. */
function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/** The domain of `sip:example.com`; nothing for other schemes, for a URI with a user, and for what is no domain. */
function domainOfUri(uri: string): readonly string[] {
  if (uri.slice(0, SIP.length).toLowerCase() !== SIP || uri.includes("@")) return [];
  const [hostPort = ""] = uri.slice(SIP.length).split(/[;?]/, 1);
  const host = parseHostPort(hostPort)?.host;
  return host === undefined ? [] : domainOf(host);
}

/** A wildcard is kept as it stands: it is equal to no domain. */
function domainOf(name: string): readonly string[] {
  return /^[A-Za-z0-9*._-]{1,255}$/.test(name) ? [withoutRoot(name.toLowerCase())] : [];
}

/** A domain without the dot that may end it. */
export function withoutRoot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
