import { asRequestUri, type Method, type Target } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { bindingId } from "./binding-id.ts";
import { type Device, deviceOf } from "./device.ts";

/** A binding that is in force, as `Registrar.query` gives it. */
export interface CurrentBinding extends Binding, Device {
  /** Its name among those of its user, for `Registrar.remove`: that of `bindingId`. */
  readonly id: string;
  /** Seconds until it ends, at least 1; `Infinity` for a static one. */
  readonly expires: number;
}

/** Seconds until a binding ends, at least 1 for one that is in force. */
export function remainingSeconds(binding: Binding, now: number): number {
  return Math.ceil((binding.expiresAt - now) / 1000);
}

/** The bindings in force, with what their parameters say, in their order. */
export function currentBindings(
  bindings: readonly Binding[],
  now: number,
): readonly CurrentBinding[] {
  return bindings
    .filter((binding) => binding.expiresAt > now)
    .map((binding) => ({
      ...binding,
      id: bindingId(binding),
      expires: remainingSeconds(binding, now),
      ...deviceOf(binding),
    }));
}

/**
 * Where a request to a user goes: her SIP and SIPS contacts in force, by falling preference, of equals the one that
 * was refreshed last first.
 *
 * RFC 3261 §16.5
 */
export function targetsOf(bindings: readonly Binding[], now: number): readonly Target[] {
  return bindings
    .filter((binding) => binding.expiresAt > now && /^sips?:/i.test(binding.uri))
    .map(targetOf)
    .sort((a, b) => b.q - a.q);
}

/** Whether a device takes a method; of one that says nothing, that is hoped. RFC 3841 §7.2.2 */
export function takes({ methods }: Binding, method: Method): boolean {
  return methods === undefined || methods.includes(method);
}

function targetOf(binding: Binding): Target {
  const { instance, regId } = deviceOf(binding);
  return {
    uri: asRequestUri(binding.uri),
    q: binding.q,
    route: binding.path,
    expiresAt: binding.expiresAt,
    ...(binding.flow === undefined ? undefined : { flow: binding.flow }),
    ...(instance === undefined ? undefined : { instance }),
    ...(regId === undefined ? undefined : { regId }),
  };
}
