import { canonicalAddress, parseSipUri, type Server } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import type { QualifiedBindings } from "./qualify-options.ts";

const SIP_PORT = 5060;

/**
 * Whether a binding is to be pinged from here: in force, over a flow of this node that can still be used. One without a
 * flow is not: whoever registered it wrote down an address, and nobody there has asked for anything. One behind a Path
 * is its edge proxy's to ping. Nor is one that is woken by push notifications: it may sleep.
 *
 * RFC 8599 §4.1
 */
export function isQualified(binding: Binding, which: QualifiedBindings, server: Server): boolean {
  const { flow, uri, expiresAt } = binding;
  if (flow === undefined || flow.node !== server.node) return false;
  if (expiresAt <= server.clock.wall() || !/^sips?:/i.test(uri)) return false;
  if (which === "udp" && flow.protocol !== "udp") return false;
  if (/;pn-provider=/i.test(uri) || !server.isAlive(flow)) return false;
  return which !== "nat" || isBehindNat(uri, flow);
}

/** Whether it sends from another place than its Contact says; over a connection the port tells nothing. */
function isBehindNat(
  uri: string,
  { remote, protocol }: { readonly remote: string; readonly protocol: string },
): boolean {
  const { host, port = SIP_PORT } = parseSipUri(uri);
  const colon = remote.lastIndexOf(":");
  if (canonicalAddress(host) !== canonicalAddress(remote.slice(0, colon))) return true;
  return protocol === "udp" && String(port) !== remote.slice(colon + 1);
}
