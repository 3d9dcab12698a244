import { canonicalAddress, parseSipUri, type Server } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { wakeable } from "../push/push-options.ts";
import type { RegistrarSettings } from "../registrar-options.ts";
import type { QualifySettings } from "./qualify-options.ts";

const DEFAULT_PORT = 5060;

/**
 * Whether a binding is to be pinged from here: in force, over a flow of this node that can still be used. One without a
 * flow is not: whoever registered it wrote down an address, and nobody there has asked for anything. One behind a Path
 * is its edge proxy's to ping. Nor is one that push notifications wake: it may sleep.
 */
export function isQualified(
  binding: Binding,
  { bindings }: QualifySettings,
  { push }: Pick<RegistrarSettings, "push">,
  server: Server,
): boolean {
  const { flow, uri, expiresAt } = binding;
  if (flow === undefined || !server.isAlive(flow)) return false;
  if (expiresAt <= server.clock.wall() || !/^sips?:/i.test(uri)) return false;
  if (bindings === "udp" && flow.protocol !== "udp") return false;
  if (wakeable(binding, push) !== undefined) return false;
  return bindings !== "nat" || isBehindNat(uri, flow);
}

/** Whether it sends from another place than its Contact says; over a connection the port tells nothing. */
function isBehindNat(
  uri: string,
  { remote, protocol }: { readonly remote: string; readonly protocol: string },
): boolean {
  const { host, port = DEFAULT_PORT } = parseSipUri(uri);
  const colon = remote.lastIndexOf(":");
  if (canonicalAddress(host) !== canonicalAddress(remote.slice(0, colon))) return true;
  return protocol === "udp" && String(port) !== remote.slice(colon + 1);
}
