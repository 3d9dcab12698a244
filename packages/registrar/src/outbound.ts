import { type Params, ParseError, parseSipUri, path, Reject, type Request } from "@sipkit/core";
import type { ContactKey } from "./contact-key.ts";
import { readRegId } from "./device.ts";
import { supports } from "./option-tags.ts";

/** Whether devices may register flows, or must. */
export type OutboundMode = "off" | "on" | "required";

/**
 * The flow that a Contact registers, which its binding is known by instead of its URI. `undefined`: none, or its
 * `reg-id` is to be ignored.
 *
 * Throws a `ParseError` for a `reg-id` that is no number from 1, and a `Reject` (439) where the first hop keeps no flow.
 *
 * `usesPath`: whether Paths are kept.
 *
 * RFC 5626 §6
 */
export function flowKey(
  request: Request,
  params: Params,
  usesPath: boolean,
): (ContactKey & { readonly kind: "flow" }) | undefined {
  if (!params.has("reg-id")) return undefined;
  const instance = params.get("+sip.instance");
  // One with a reg-id and no instance is not valid: the reg-id is ignored.
  if (instance === undefined) return undefined;
  const regId = readRegId(params.get("reg-id"));
  if (regId === undefined) throw malformed("a reg-id that is no number from 1");
  if (!supports(request, "outbound")) return undefined;
  // Not the first hop, and the first hop doesn't say that it keeps the flow.
  if (!isFirstHop(request) && !(usesPath && isKeptByEdge(request))) throw new Reject(439);
  return { kind: "flow", instance, regId };
}

/**
 * Checks the Contacts of a REGISTER together: one that registers a flow stands alone, removals apart; and where flows are
 * `"required"`, nobody registers anything else. Throws a `ParseError` (400) or a `Reject` (421).
 *
 * RFC 5626 §6
 */
export function checkFlows(
  contacts: readonly { readonly expires: number; readonly key: ContactKey | undefined }[],
  mode: OutboundMode,
): void {
  if (mode === "off") return;
  const kept = contacts.filter(({ expires }) => expires > 0);
  const flows = kept.filter(({ key }) => key?.kind === "flow");
  if (flows.length > 0 && kept.length > 1) throw malformed("a flow beside another Contact");
  if (mode === "required" && flows.length < kept.length) {
    throw new Reject(421, { headers: { Require: "outbound" } });
  }
}

function isFirstHop({ headers }: Request): boolean {
  return headers.getAll("via").length === 1;
}

/** Whether the edge proxy that the device speaks to says `ob`. RFC 5626 §5.1 */
function isKeptByEdge({ headers }: Request): boolean {
  const first = headers.has("path") ? headers.read(path)?.uri : undefined;
  return first !== undefined && /^sips?:/i.test(first) && parseSipUri(first).params.has("ob");
}

function malformed(fault: string): ParseError {
  return new ParseError(fault, { header: "Contact" });
}
