import { contact, type Params, ParseError, Reject, type Request } from "@sipkit/core";
import { requestedSeconds } from "../delta-seconds.ts";
import { pushDeviceOf, pushId, pushParams } from "./push-device.ts";
import type { PushSettings } from "./push-options.ts";

const PARAMS: readonly string[] = ["pn-provider", "pn-param", "pn-prid", "pn-purr"];

/**
 * What stands for the device of a Contact that asks for push; `undefined`: it doesn't, or asks only what there is. Throws
 * a `ParseError` for a parameter that is there twice, or a token that is none, and a `Reject` (555) for a service that we
 * don't have and nobody before us.
 *
 * `asked`: the expiration as written.
 *
 * RFC 8599 §5.6.1
 */
export function readPushContact(
  request: Request,
  uri: string,
  asked: string | undefined,
  push: PushSettings,
): string | undefined {
  const params = pushParams(uri);
  if (params === undefined) return undefined;
  checkOnce(params);
  const provider = params.get("pn-provider");
  if (provider === undefined || provider === "") return undefined;
  if (!push.providers.has(provider.toLowerCase())) {
    // §5.6.1.1: another server between the device and us wakes it. And who goes may go.
    if (isPushedBefore(request) || (asked !== undefined && requestedSeconds(asked) === 0)) {
      return undefined;
    }
    throw new Reject(555);
  }
  const device = pushDeviceOf(uri);
  // Deviation: §5.6.1.1 leaves a device alone that a server before us wakes. That would have to be kept with its binding;
  // being woken twice, it registers twice.
  if (device !== undefined) return pushId(device);
  if (params.has("pn-prid")) throw malformed("a pn-prid without a value");
  return undefined;
}

/**
 * The Feature-Caps of a 200: which services there are of those that a Contact asks for, and by when who wakes itself has
 * to register again.
 *
 * RFC 8599 §5.4, §5.6.1
 */
export function featureCaps(request: Request, push: PushSettings): readonly string[] {
  const { headers } = request;
  if (!headers.has("contact")) return [];
  const caps = new Map<string, string>();
  for (const value of headers.readAll(contact)) {
    if (value === "*") continue;
    const params = pushParams(value.uri);
    if (params?.has("pn-provider") !== true) continue;
    const provider = params.get("pn-provider") ?? "";
    const asked =
      provider === "" ? push.providers.values() : [push.providers.get(provider.toLowerCase())];
    const wakesItself = value.params.has("+sip.pnsreg") && params.has("pn-prid");
    for (const each of asked) {
      if (each === undefined) continue;
      const own = wakesItself && push.pnsreg !== undefined ? `;+sip.pnsreg="${push.pnsreg}"` : "";
      caps.set(each.name, `*;+sip.pns="${each.name}"${own}`);
    }
  }
  return [...caps.values()];
}

/** RFC 3261 §19.1.1: no parameter comes twice. */
function checkOnce(params: Params): void {
  const seen = new Set<string>();
  for (const [name] of params) {
    const lower = name.toLowerCase();
    if (!PARAMS.includes(lower)) continue;
    if (seen.has(lower)) throw malformed(`${lower} twice`);
    seen.add(lower);
  }
}

function isPushedBefore({ headers }: Request): boolean {
  if (!headers.has("feature-caps")) return false;
  return headers.getAll("feature-caps").some((caps) => /\+sip\.pns\s*=/i.test(caps));
}

function malformed(fault: string): ParseError {
  return new ParseError(fault, { header: "Contact" });
}
