import {
  type ContactValue,
  contact,
  type FlowRef,
  type Params,
  ParseError,
  parseUri,
  Reject,
  type Request,
  type SipUri,
} from "@sipkit/core";
import { flowOfContact, type NextHopRule, type Sender } from "./contact-flow.ts";
import { type ContactKey, keyOfContact, type Matching } from "./contact-key.ts";
import { requestedSeconds } from "./delta-seconds.ts";
import { checkFlows, flowKey, type OutboundMode } from "./outbound.ts";
import { readPushContact } from "./push/push-contact.ts";
import type { PushSettings } from "./push/push-options.ts";

/** What a REGISTER asks for one of its Contacts. */
export interface ContactRequest {
  readonly uri: string;
  /** As written, without what the registrar alone says: `expires`, and GRUUs. */
  readonly params: string;
  readonly q: number;
  /** Seconds, as granted; 0: the binding shall go. */
  readonly expires: number;
  readonly flow: FlowRef | undefined;
  /** Which binding it is about; `undefined`: that of an equal URI. */
  readonly key: ContactKey | undefined;
  readonly methods: readonly string[] | undefined;
}

/** How Contacts are read. */
export interface ContactRules {
  /** Seconds. */
  readonly minExpires: number;
  readonly maxExpires: number;
  readonly defaultExpires: number;
  /** The part of what is granted that chance may take off. */
  readonly expiresJitter: number;
  readonly whenTooBrief: "refuse" | "raise";
  readonly defaultQ: number;
  readonly maxContacts: number;
  readonly matching: Matching;
  readonly nextHop: NextHopRule;
  readonly outbound: OutboundMode;
  readonly usesPath: boolean;
  /** Whether the methods that a device takes are kept. */
  readonly keepsMethods: boolean;
  /** `undefined`: no device is woken. */
  readonly push: PushSettings | undefined;
}

/** Whose Contacts are read. */
export interface ContactOwner {
  readonly addressOfRecord: string;
  readonly sender: Sender | undefined;
}

/** What else reading a Contact needs. */
export interface ContactReader {
  /** A number from 0 to less than 1. */
  readonly chance: () => number;
  /** Whether a request to that Contact would come back to the same user. */
  readonly leadsBack: (
    addressOfRecord: string,
    parsed: SipUri,
    uri: string,
    flow: FlowRef | undefined,
  ) => boolean;
}

/** Characters of one Contact, its URI and parameters: what a push service's token needs, and more. */
const LONGEST_CONTACT = 1024;
const ONE_HOUR = 3600;
/** Characters of the methods that are kept of one device; who says more is taken for one that says nothing. */
const LONGEST_METHODS = 512;

/** A 403 to a Contact that leads back to the address-of-record itself. */
export class LoopingContact extends Reject {
  constructor() {
    super(403, { reason: "Contact Leads Back" });
  }
}

/**
 * Reads a REGISTER's Contacts: `"*"`, or what is asked for each. Throws a `ParseError` where one is malformed and a
 * `Reject` where one is refused.
 *
 * RFC 3261 §10.3 steps 6 and 7
 */
export function readContacts(
  request: Request,
  rules: ContactRules,
  owner: ContactOwner,
  reader: ContactReader,
): "*" | readonly ContactRequest[] {
  const values = request.headers.readAll(contact);
  if (values.includes("*")) {
    const header = request.headers.get("expires");
    // §10.3 step 6: alone, and with an expiration of zero, else the request is invalid.
    if (values.length > 1) throw malformed("Contact * beside another Contact");
    if (header === undefined || requestedSeconds(header) !== 0) {
      throw malformed("Contact * without Expires 0");
    }
    return "*";
  }
  if (values.length > rules.maxContacts) throw new Reject(403, { reason: "Too Many Contacts" });
  const alone = values.length === 1;
  const requests: ContactRequest[] = [];
  for (const value of values) {
    if (value !== "*") requests.push(readContact(request, value, alone, rules, owner, reader));
  }
  if (rules.outbound !== "off") checkFlows(requests, rules.outbound);
  return requests;
}

function readContact(
  request: Request,
  value: ContactValue,
  alone: boolean,
  rules: ContactRules,
  { addressOfRecord, sender }: ContactOwner,
  { chance, leadsBack }: ContactReader,
): ContactRequest {
  const { uri, q = rules.defaultQ } = value;
  const all = value.params;
  const written = all.toString();
  if (uri.length + written.length > LONGEST_CONTACT) {
    throw new Reject(403, { reason: "Contact Too Long" });
  }
  const parsed = parseUri(uri);
  const asked = all.has("expires") ? (value.expires ?? "") : request.headers.get("expires");
  const pushId = rules.push && readPushContact(request, uri, asked, rules.push);
  const expires = grantedSeconds(asked, pushId === undefined ? rules : forPush(rules), chance);
  // §10.3: a contact may be of any scheme; only a SIP URI is reached by SIP.
  const isSip = "host" in parsed;
  const byFlow = rules.outbound === "off" ? undefined : flowKey(request, all, rules.usesPath);
  let flow: FlowRef | undefined;
  if (sender !== undefined && isSip) {
    // RFC 5626 §6: a device that registers a flow is reached over that one.
    flow = byFlow === undefined ? flowOfContact(parsed, sender, alone, rules.nextHop) : sender.flow;
  }
  if (expires > 0 && isSip && leadsBack(addressOfRecord, parsed, uri, flow))
    throw new LoopingContact();
  return {
    uri,
    params: keptParams(all, written),
    q,
    expires,
    flow,
    key:
      byFlow ??
      (rules.matching === "uri" && pushId === undefined
        ? undefined
        : keyOfContact(rules.matching, {
            uri,
            params: all,
            callId: alone ? request.callId : undefined,
            path: rules.usesPath ? request.headers.getAll("path") : [],
            pushId,
          })),
    methods: rules.keepsMethods ? methodsOf(request, all) : undefined,
  };
}

/** RFC 8599 §5.6.1.1: what would end before its device could be woken is too brief. */
function forPush(rules: ContactRules): ContactRules {
  const { push, minExpires } = rules;
  return { ...rules, minExpires: Math.max(minExpires, push?.minExpires ?? 0) };
}

/** RFC 5627 §5.1: whoever suggests GRUUs is not listened to. */
function keptParams(params: Params, written: string): string {
  const kept = params.without("expires");
  if (!/-gruu/i.test(written)) return kept.toString();
  return kept.without("pub-gruu").without("temp-gruu").toString();
}

/** Of the Contact, else of the whole device: its Allow. RFC 3840 §10, RFC 3261 §20.5 */
function methodsOf({ headers }: Request, params: Params): readonly string[] | undefined {
  const given = params.get("methods")?.split(",") ?? headers.getAll("allow");
  const methods = given.map((method) => method.trim()).filter((method) => method !== "");
  const length = methods.reduce((sum, method) => sum + method.length, 0);
  return methods.length === 0 || length > LONGEST_METHODS ? undefined : methods;
}

/** §10.3 step 7: what is asked for, at most the maximum; too little of it is refused. */
function grantedSeconds(
  requested: string | undefined,
  rules: ContactRules,
  chance: () => number,
): number {
  const { minExpires, maxExpires, expiresJitter } = rules;
  let seconds = requested === undefined ? rules.defaultExpires : requestedSeconds(requested);
  // If and only if it is more than zero, less than an hour and less than our minimum.
  if (requested !== undefined && seconds > 0 && seconds < ONE_HOUR && seconds < minExpires) {
    if (rules.whenTooBrief === "refuse") {
      throw new Reject(423, { headers: { "Min-Expires": String(minExpires) } });
    }
    // Deviation: a registrar may shorten what is asked for, and not lengthen it. Devices exist that don't understand a
    // 423; only where an option says so.
    seconds = minExpires;
  }
  seconds = Math.min(seconds, maxExpires);
  if (expiresJitter === 0 || seconds <= minExpires) return seconds;
  // Only downwards, and never below the minimum, so that those who registered at once don't come back at once.
  return Math.max(minExpires, seconds - Math.floor(seconds * expiresJitter * chance()));
}

function malformed(fault: string): ParseError {
  return new ParseError(fault, { header: "Contact" });
}
