import {
  formatNameAddr,
  type Leg,
  maxForwards,
  Params,
  type Request,
  type RequestOptions,
  type Server,
} from "@sipkit/core";
import { bindingMark } from "../chosen-binding.ts";
import type { ContactTokens } from "./contact-tokens.ts";
import type { UpstreamContact } from "./upstream-update.ts";

const INITIAL_MAX_FORWARDS = 70;
/** What a device and its registrar agree on, and we are that registrar. */
const OURS = ["outbound", "gruu", "path"];

/** A Contact as it is sent. */
export interface SentContact extends UpstreamContact {
  /** Its URI without the host, which the leg gives; that of the device by Path. */
  readonly user: string;
  /** What is asked for; 0: it shall go. */
  readonly seconds: number;
}

/** How Contacts are written. */
export interface ContactForm {
  readonly server: Server;
  readonly tokens: ContactTokens;
  /** Whether they stay as they are, with a Path that leads here. */
  readonly byPath: boolean;
}

/** The Max-Forwards to send on; below 0 when there is none left. RFC 3261 §16.3 step 3, §16.6 step 3 */
export function nextMaxForwards(request: Request): number {
  const received = request.headers.read(maxForwards);
  return received === undefined ? INITIAL_MAX_FORWARDS : received - 1;
}

/** Gives each Contact its name at the other registrar. */
export function named(
  contacts: readonly UpstreamContact[],
  secondsOf: (contact: UpstreamContact) => number,
  { tokens }: ContactForm,
): readonly SentContact[] {
  return contacts.map((each) => {
    const { addressOfRecord, binding } = each;
    const user = tokens.seal({ addressOfRecord, mark: binding && bindingMark(binding) });
    return { ...each, user, seconds: each.neededUntil === 0 ? 0 : secondsOf(each) };
  });
}

/**
 * A REGISTER as the other registrar gets it, without its Contacts: credentials, request-URI, Call-ID and CSeq are its
 * sender's, so that its digest is good there.
 */
export function upstreamCopy(
  request: Request,
  contacts: readonly SentContact[],
  { byPath }: ContactForm,
): Request {
  const copy = request.clone();
  const { headers } = copy;
  headers.set("Max-Forwards", String(nextMaxForwards(request)));
  for (const name of ["Route", "Require"]) headers.delete(name);
  // A removal of everything goes on as that of ours, so that we know what is left there. Where we know of none, as it is.
  if (contacts.length > 0 || headers.get("contact") !== "*") {
    headers.delete("Contact");
    headers.delete("Expires");
    const longest = Math.max(...contacts.map(({ seconds }) => seconds));
    if (contacts.length > 0) headers.set("Expires", String(longest));
  }
  const tags = headers.getAll("supported").filter((tag) => !OURS.includes(tag.toLowerCase()));
  if (byPath) tags.push("path");
  else headers.delete("Path");
  if (tags.length > 0) headers.set("Supported", tags.join(", "));
  else headers.delete("Supported");
  return copy;
}

/** Puts Contacts on, or a Path, when it is known at which address of ours they lead here. */
export function contactsOnLeg(
  contacts: readonly SentContact[],
  form: ContactForm,
  original: Request | undefined,
): NonNullable<RequestOptions["prepare"]> {
  const { server, byPath } = form;
  const flow = byPath && original !== undefined ? server.flowOf(original) : undefined;
  return (request, leg) => {
    if (contacts.length > 0) {
      request.headers.set(
        "Contact",
        contacts.map((each) => contactOn(leg, each, byPath)),
      );
    }
    if (flow !== undefined) request.headers.prepend("Path", server.signPath(flow, leg));
  };
}

/** The URI of a Contact of ours. */
function uriOn({ protocol, sentBy }: Leg, user: string): string {
  return `sip:${user}@${sentBy}${protocol === "udp" ? "" : `;transport=${protocol}`}`;
}

function contactOn(leg: Leg, { user, binding, seconds }: SentContact, byPath: boolean): string {
  const given = new Params(binding?.params ?? "");
  const isTheirs = byPath && binding !== undefined;
  // Deviation: who forwards a request leaves its Contact alone (RFC 3261 §16.6 step 1). The other registrar shall reach
  // the device through us, for longer than the device registers, and not all registrars know a Path.
  const uri = isTheirs ? binding.uri : uriOn(leg, user);
  // RFC 5626 §6: the flow that they name ends here.
  const params = isTheirs ? given : given.without("reg-id").without("+sip.instance");
  return formatNameAddr({
    displayName: undefined,
    uri,
    params: params.with("expires", String(seconds)),
    tag: undefined,
  });
}
