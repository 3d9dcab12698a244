import type { Binding } from "../binding.ts";
import { bindingId } from "../binding-id.ts";
import type { BindingEvent, BindingEventName } from "../events.ts";
import type { ContactEventName } from "./reginfo.ts";

/** What became of a contact. */
export interface ContactChange {
  readonly id: string;
  readonly event: ContactEventName;
  readonly binding: Binding;
  /** When, by `clock.now()`; `undefined`: nobody knows. */
  readonly at: number | undefined;
}

/**
 * What a registrar's event means to those who watch.
 *
 * - a REGISTER that ends a contact, puts another of the device in its place, or needs its room: `unregistered`
 * - an operator who removes it, or a connection that is lost: `deactivated`, which asks the device to register again
 *
 * RFC 3680 §4.7.1
 */
export function changesOf(
  name: BindingEventName,
  { binding, previous, reason }: BindingEvent,
  at: number,
): readonly ContactChange[] {
  const id = bindingId(binding);
  const one = (event: ContactEventName): readonly ContactChange[] => [{ id, event, binding, at }];
  switch (name) {
    case "added":
      return one("registered");
    case "expired":
      return one("expired");
    case "lost":
      return one("deactivated");
    case "removed":
      return one(
        reason === "unregistered" || reason === "replaced" ? "unregistered" : "deactivated",
      );
    case "refreshed": {
      const before = previous === undefined ? id : bindingId(previous);
      if (previous === undefined || before === id) return one("refreshed");
      // To who tells contacts by their URIs another one is there now.
      return [{ id: before, event: "unregistered", binding: previous, at }, ...one("registered")];
    }
  }
}

/** Whether the contact is there after that. */
export function isActive(event: ContactEventName): boolean {
  return event === "registered" || event === "refreshed" || event === "created";
}
