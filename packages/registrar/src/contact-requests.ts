import { contact, type FlowRef, ParseError, parseUri, Reject, type Request } from "@sipkit/core";
import { flowOfContact, type Sender } from "./contact-flow.ts";
import { requestedSeconds } from "./delta-seconds.ts";

/** What a REGISTER asks for one of its Contacts. */
export interface ContactRequest {
  readonly uri: string;
  /** As written, `expires` left out. */
  readonly params: string;
  readonly q: number;
  /** Seconds, as granted; 0: the binding shall go. */
  readonly expires: number;
  readonly flow: FlowRef | undefined;
}

/** The registrar's bounds, in seconds and in numbers. */
export interface ContactLimits {
  readonly minExpires: number;
  readonly maxExpires: number;
  readonly defaultExpires: number;
  readonly maxContacts: number;
}

/** Characters of one Contact, its URI and parameters: what a push service's token needs, and more. */
const LONGEST_CONTACT = 1024;
const ONE_HOUR = 3600;
const DEFAULT_Q = 1;

/**
 * Reads a REGISTER's Contacts: `"*"`, or what is asked for each. Throws a `ParseError` where one is malformed and a
 * `Reject` where one is refused.
 *
 * RFC 3261 §10.3 steps 6 and 7
 */
export function readContacts(
  request: Request,
  sender: Sender | undefined,
  limits: ContactLimits,
): "*" | readonly ContactRequest[] {
  const values = request.headers.readAll(contact);
  const header = request.headers.get("expires");
  if (values.includes("*")) {
    // §10.3 step 6: alone, and with an expiration of zero, else the request is invalid.
    if (values.length > 1) throw malformed("Contact * beside another Contact");
    if (header === undefined || requestedSeconds(header) !== 0) {
      throw malformed("Contact * without Expires 0");
    }
    return "*";
  }
  if (values.length > limits.maxContacts) throw new Reject(403, { reason: "Too Many Contacts" });
  const requests: ContactRequest[] = [];
  for (const value of values) {
    if (value === "*") continue;
    const { uri, q = DEFAULT_Q } = value;
    const written = value.params.toString();
    if (uri.length + written.length > LONGEST_CONTACT) {
      throw new Reject(403, { reason: "Contact Too Long" });
    }
    const parsed = parseUri(uri);
    requests.push({
      uri,
      params: value.params.without("expires").toString(),
      q,
      expires: grantedSeconds(value.params.has("expires") ? (value.expires ?? "") : header, limits),
      // §10.3: a contact may be of any scheme; only a SIP URI is reached by SIP.
      flow:
        sender !== undefined && "host" in parsed
          ? flowOfContact(parsed, sender, values.length === 1)
          : undefined,
    });
  }
  return requests;
}

/** §10.3 step 7: what is asked for, at most the maximum; too little of it is refused. */
function grantedSeconds(requested: string | undefined, limits: ContactLimits): number {
  if (requested === undefined) return limits.defaultExpires;
  const seconds = requestedSeconds(requested);
  // If and only if it is more than zero, less than an hour and less than our minimum.
  if (seconds > 0 && seconds < ONE_HOUR && seconds < limits.minExpires) {
    throw new Reject(423, { headers: { "Min-Expires": String(limits.minExpires) } });
  }
  return Math.min(seconds, limits.maxExpires);
}

function malformed(fault: string): ParseError {
  return new ParseError(fault, { header: "Contact" });
}
