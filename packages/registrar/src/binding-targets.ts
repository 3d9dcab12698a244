import { asRequestUri, Params, type Target } from "@sipkit/core";
import type { Binding } from "./binding.ts";

/** A binding that is in force, as `Registrar.query` gives it. */
export interface CurrentBinding extends Binding {
  /** Seconds until it ends, at least 1. */
  readonly expires: number;
  /** The device, as `<urn:uuid:…>`. RFC 5626 §4.1 */
  readonly instance: string | undefined;
  /** Which of the device's flows. RFC 5626 §4.2 */
  readonly regId: number | undefined;
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

function deviceOf({ params }: Binding): Pick<CurrentBinding, "instance" | "regId"> {
  if (params === "") return { instance: undefined, regId: undefined };
  const read = new Params(params);
  const regId = read.get("reg-id");
  return {
    instance: read.get("+sip.instance"),
    regId: regId !== undefined && /^[1-9][0-9]{0,9}$/.test(regId) ? Number(regId) : undefined,
  };
}
