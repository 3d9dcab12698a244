import { Params, parseUri, uriEquals } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { isSameList } from "./binding-parts.ts";
import { deviceOf } from "./device.ts";
import { pushIdOf } from "./push/push-device.ts";

/**
 * Which binding a Contact replaces, where URI comparison isn't to tell:
 *
 * - `"uri"`: that of an equal URI, RFC 3261 §10.3
 * - `"uri-and-path"`: that of an equal URI which was registered by the same Path: phones of one URI behind two edge proxies
 * - `"instance"`: that of the same `+sip.instance`, so that a device that got another address leaves nothing behind
 * - `"call-id"`: that of the same Call-ID, when the Contact came alone
 * - `{ param }`: that whose URI, or else whose Contact, has the same value of that parameter (`line`, `pn-prid`)
 *
 * What a Contact doesn't say can't be matched: it replaces what has an equal URI and doesn't say it either.
 */
export type Matching = "uri" | "uri-and-path" | "instance" | "call-id" | { readonly param: string };

/** By what a Contact finds its binding, before its URI. */
export type ContactKey =
  | { readonly kind: "flow"; readonly instance: string; readonly regId: number }
  | { readonly kind: "instance"; readonly instance: string }
  | { readonly kind: "uri-and-path"; readonly uri: string; readonly path: readonly string[] }
  | { readonly kind: "call-id"; readonly callId: string }
  | { readonly kind: "param"; readonly name: string; readonly value: string }
  | { readonly kind: "push"; readonly id: string; readonly instance: string | undefined };

/** What of a Contact its key is made of. */
export interface KeyParts {
  readonly uri: string;
  readonly params: Params;
  /** Where it came alone. */
  readonly callId: string | undefined;
  readonly path: readonly string[];
  /** What stands for the device that a push service wakes, where we can have it woken. */
  readonly pushId: string | undefined;
}

/** The key of a Contact that registers no flow; `undefined`: its URI alone tells. */
export function keyOfContact(matching: Matching, contact: KeyParts): ContactKey | undefined {
  const { pushId } = contact;
  if (matching === "uri" && pushId === undefined) return undefined;
  const instance = contact.params.get("+sip.instance");
  if (matching === "instance" && instance !== undefined) return { kind: "instance", instance };
  // Deviation: RFC 8599 §4.1 lets a device have several bindings of one token, and RFC 3261 §10.3 tells them apart by
  // their URIs. A device that wakes up at another address would leave a binding behind each time, and be woken for each.
  // With outbound it can have several: those are flows.
  if (pushId !== undefined) return { kind: "push", id: pushId, instance };
  if (matching === "uri" || matching === "instance") return undefined;
  if (matching === "uri-and-path") {
    return { kind: "uri-and-path", uri: contact.uri, path: contact.path };
  }
  if (matching === "call-id") {
    const { callId } = contact;
    return callId === undefined ? undefined : { kind: "call-id", callId };
  }
  const name = matching.param;
  const value = paramOf(contact.uri, contact.params, name);
  return value === undefined ? undefined : { kind: "param", name, value };
}

/** Whether a binding is the one that a key means. */
export function hasKey(binding: Binding, key: ContactKey): boolean {
  switch (key.kind) {
    case "call-id":
      return binding.callId === key.callId;
    case "param":
      return paramOf(binding.uri, new Params(binding.params), key.name) === key.value;
    case "instance":
      return deviceOf(binding).instance === key.instance;
    case "uri-and-path":
      return uriEquals(binding.uri, key.uri) && isSameList(registeredPath(binding), key.path);
    case "push": {
      const id = pushIdOf(binding);
      if (id === undefined || id === key.id) return id === key.id;
      // RFC 8599 §4.1.3: the service may have given the device another token.
      const { instance, regId } = deviceOf(binding);
      return instance !== undefined && instance === key.instance && regId === undefined;
    }
    case "flow": {
      const { instance, regId } = deviceOf(binding);
      return instance === key.instance && regId === key.regId;
    }
  }
}

/** Whether a binding says nothing of what a key is made of, so that an equal URI makes it the one. */
export function lacksKey(binding: Binding, key: ContactKey): boolean {
  switch (key.kind) {
    case "call-id":
      return true;
    case "uri-and-path":
      return false;
    case "param":
      return paramOf(binding.uri, new Params(binding.params), key.name) === undefined;
    case "push":
      return pushIdOf(binding) === undefined;
    default:
      return deviceOf(binding).instance === undefined;
  }
}

/** What came without a Path may have one for other nodes, which changes with its flow. */
function registeredPath({ flow, path }: Binding): readonly string[] {
  return flow === undefined ? path : [];
}

function paramOf(uri: string, params: Params, name: string): string | undefined {
  const parsed = parseUri(uri);
  return ("params" in parsed ? parsed.params.get(name) : undefined) ?? params.get(name);
}
