import { canonicalAddress, type FlowRef, type Protocol, type SipUri } from "@sipkit/core";

/** The networks that mean something else in each place, or no one host. RFC 1918, 6598, 3927, 4193, 4291, 6761 */
const PRIVATE: readonly (readonly [network: string, pattern: RegExp])[] = [
  ["10/8", /^10\./],
  ["172.16/12", /^172\.(1[6-9]|2\d|3[01])\./],
  ["192.168/16", /^192\.168\./],
  ["100.64/10", /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./],
  ["169.254/16", /^169\.254\./],
  ["loopback", /^127\.|^::1$|(?:^|\.)localhost\.?$/],
  ["this host", /^0\.|^::$/],
  ["multicast and broadcast", /^(?:22[4-9]|2[34]\d|25[0-5])\.|^ff[0-9a-f]{2}:/],
  ["fc00::/7", /^f[cd][0-9a-f]{2}:/],
  ["fe80::/10", /^fe[89ab][0-9a-f]:/],
];

/** Where a REGISTER came from. */
export interface Sender {
  readonly flow: FlowRef;
  /** The host that the sender calls itself in its Via. */
  readonly sentBy: string;
}

/**
 * How a contact is reached that came straight from its device: `"source"` over the flow that its REGISTER came by,
 * `"contact"` where its URI says, `"auto"` as {@link flowOfContact} finds out.
 */
export type NextHopRule = "auto" | "source" | "contact";

/**
 * The flow to a contact: that of its REGISTER, when the contact is the device that sent it. A user may register other
 * devices than the one in his hand (§10.2.1), and those are reached at their own addresses.
 *
 * A contact is the sender itself when its host is the sender's source address or the one in its Via, when it names no
 * place (`.invalid`, RFC 7118 App. B.1), when it is a private address of another network than the source's (a NAT lies
 * between), or when it came alone over a connection: nobody dials into one from outside.
 *
 * What asks for another transport is called by that one where its address can be reached, and what asks for TLS is
 * never called in the clear. RFC 3261 §26.2.2
 */
export function flowOfContact(
  uri: SipUri,
  sender: Sender,
  alone: boolean,
  rule: NextHopRule = "auto",
): FlowRef | undefined {
  const { flow } = sender;
  // §19.1.1: that is where a request would go.
  const host = bare(uri.params.get("maddr") ?? uri.host);
  if (rule === "source" || host.endsWith(".invalid")) return flow;
  if (rule === "contact") return undefined;
  if (alone && flow.protocol !== "udp") return flow;
  const { remote } = flow;
  const source = bare(remote.slice(0, remote.lastIndexOf(":")));
  if (host === source) return isAskedFor(uri, flow.protocol) ? flow : undefined;
  if (host !== bare(sender.sentBy)) {
    const network = privateNetwork(host);
    if (network === undefined || network === privateNetwork(source)) return undefined;
  }
  return asksForTls(uri) && !isSecure(flow.protocol) ? undefined : flow;
}

/** Whether a URI may be called by that transport. RFC 3261 §26.2.2, RFC 7118 §5.2 */
function isAskedFor(uri: SipUri, protocol: Protocol): boolean {
  if (asksForTls(uri)) return isSecure(protocol);
  const asked = uri.params.get("transport")?.toLowerCase();
  return asked === undefined || asked === (protocol === "wss" ? "ws" : protocol);
}

function asksForTls({ scheme, params }: SipUri): boolean {
  return scheme === "sips" || params.get("transport")?.toLowerCase() === "tls";
}

function isSecure(protocol: Protocol): boolean {
  return protocol === "tls" || protocol === "wss";
}

/** A host in one spelling: an IPv4 address in IPv6's clothes is what it is. */
function bare(host: string): string {
  return canonicalAddress(host).toLowerCase();
}

/** Takes what begins like an address for one: a name such as `10.example.com` costs nothing but its flow being kept. */
function privateNetwork(host: string): string | undefined {
  return PRIVATE.find(([, pattern]) => pattern.test(host))?.[0];
}
