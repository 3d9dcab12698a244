import { asRequestUri, type Method, type Target } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { bindingId } from "./binding-id.ts";
import { type Device, deviceOf } from "./device.ts";
import type { Life } from "./life.ts";
import type { Reachability } from "./qualify/ping-states.ts";
import { remainingSeconds } from "./remaining-seconds.ts";

/** A binding that is in force, as `Registrar.query` gives it. */
export interface CurrentBinding extends Binding, Device, Reachability {
  /** Its name among those of its user, for `Registrar.remove`: that of `bindingId`. */
  readonly id: string;
  /** Seconds until it ends, at least 1; `Infinity` for a static one. */
  readonly expires: number;
}

const NO_ROUTE: readonly string[] = Object.freeze([]);

/** The bindings in force of a user, with what their parameters and their pings say, in their order. */
export function currentBindings(
  { fixed, pings, server }: Pick<Life, "fixed" | "pings" | "server">,
  addressOfRecord: string,
  stored: readonly Binding[],
): readonly CurrentBinding[] {
  const now = server.clock.wall();
  return fixed
    .withStored(addressOfRecord, stored)
    .filter((binding) => binding.expiresAt > now)
    .map((binding) => ({
      ...binding,
      id: bindingId(binding),
      expires: remainingSeconds(binding, now),
      ...deviceOf(binding),
      ...pings?.of(addressOfRecord, binding),
    }));
}

/**
 * Where a request to a user goes: her SIP and SIPS contacts in force, by falling preference, of equals the one that
 * was refreshed last first. `node`: that of this process.
 *
 * RFC 3261 §16.5
 */
export function targetsOf(
  bindings: readonly Binding[],
  now: number,
  node: string,
): readonly Target[] {
  return bindings
    .filter((binding) => isTarget(binding, now))
    .map((binding) => targetOf(binding, node))
    .sort((a, b) => b.q - a.q);
}

/** Whether a request can be sent to a binding: it is in force, and for SIP. */
export function isTarget({ expiresAt, uri }: Binding, now: number): boolean {
  return expiresAt > now && /^sips?:/i.test(uri);
}

/** Whether a device takes a method; of one that says nothing, that is hoped. RFC 3841 §7.2.2 */
export function takes({ methods }: Binding, method: Method): boolean {
  return methods === undefined || methods.includes(method);
}

function targetOf(binding: Binding, node: string): Target {
  const { instance, regId } = deviceOf(binding);
  const { flow, path } = binding;
  // Another node's flow is reached by the Path that leads there.
  const isOwn = flow !== undefined && (flow.node === node || path.length === 0);
  return {
    uri: asRequestUri(binding.uri),
    q: binding.q,
    route: isOwn ? NO_ROUTE : path,
    expiresAt: binding.expiresAt,
    ...(isOwn ? { flow } : undefined),
    ...(instance === undefined ? undefined : { instance }),
    ...(regId === undefined ? undefined : { regId }),
  };
}
