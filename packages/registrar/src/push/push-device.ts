import { hash } from "node:crypto";
import { type Params, parseUri, unescapeUser } from "@sipkit/core";
import type { Binding } from "../binding.ts";

/** A device that a push service wakes, as the URI of its Contact names it. RFC 8599 §4.1.1 */
export interface PushDevice {
  /** `pn-provider`: the service, `"apns"`, `"fcm"` or another name. */
  readonly provider: string;
  /** `pn-param`: what the service needs beside; left out where the Contact has none. */
  readonly param: string | undefined;
  /** `pn-prid`: the device's token. Who knows it may wake the device: it belongs in no log. */
  readonly prid: string;
}

/** The push parameters of a URI, with what stands between it and them. */
const PUSH_PARAMS = /;pn-(?:provider|param|prid|purr)(?:=[^;?]*)?(?=[;?]|$)/gi;
/** Characters of base64url that a device is known by. */
const ID_LENGTH = 22;

/** Whether a URI may have push parameters. */
function mentionsPush(uri: string): boolean {
  return uri.includes(";") && /;pn-/i.test(uri);
}

/**
 * A URI without its push parameters, for all who aren't the push service: logs, peers, other devices of the user.
 *
 * RFC 8599 §4.1, §13
 */
export function withoutPush(uri: string): string {
  if (!mentionsPush(uri)) return uri;
  // A user part may hold the same letters.
  const host = uri.indexOf("@") + 1;
  return uri.slice(0, host) + uri.slice(host).replace(PUSH_PARAMS, "");
}

/** The parameters of a SIP URI that may have push parameters; `undefined` of any other. */
export function pushParams(uri: string): Params | undefined {
  if (!mentionsPush(uri)) return undefined;
  const parsed = parseUri(uri);
  return "host" in parsed ? parsed.params : undefined;
}

/** The device that a URI names; `undefined` where it doesn't ask for push. */
export function pushDeviceOf(uri: string): PushDevice | undefined {
  const params = pushParams(uri);
  const provider = params?.get("pn-provider");
  const prid = params?.get("pn-prid");
  if (provider === undefined || provider === "" || prid === undefined || prid === "") {
    return undefined;
  }
  const param = params?.get("pn-param");
  return {
    provider: provider.toLowerCase(),
    param: param === undefined ? undefined : unescapeUser(param),
    prid: unescapeUser(prid),
  };
}

/** What stands for a device in memory: its token can't be read from it. */
export function pushId({ provider, param, prid }: PushDevice): string {
  return hash("sha256", JSON.stringify([provider, param, prid]), "base64url").slice(0, ID_LENGTH);
}

/** That of a binding's device; `undefined` where it doesn't ask for push. */
export function pushIdOf({ uri }: Pick<Binding, "uri">): string | undefined {
  const device = pushDeviceOf(uri);
  return device && pushId(device);
}
