import { type PacketKey, packetKey, type Request } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { bindingId } from "./binding-id.ts";

/** Characters of an `id` that tell one binding from another of its user: 72 bits. */
const LENGTH = 12;

/** Of a request that is for one binding of its user alone: what {@link bindingMark} gives for that. */
export const chosenBinding: PacketKey<string> = packetKey("chosen binding");

/** A short `id` of a binding. */
export function bindingMark(binding: Binding): string {
  return bindingId(binding).slice(0, LENGTH);
}

/** Those of a user's bindings that a request is for. */
export function chosenOf(request: Request, bindings: readonly Binding[]): readonly Binding[] {
  const mark = request.get(chosenBinding);
  if (mark === undefined) return bindings;
  return bindings.filter((binding) => bindingMark(binding) === mark);
}
