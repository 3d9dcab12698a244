import type { Binding } from "./binding.ts";

/** What became of a binding. */
export interface BindingEvent {
  /** Canonical: `sip:user@host`, the user unescaped. */
  readonly addressOfRecord: string;
  readonly binding: Binding;
  /** What a refresh replaced. */
  readonly previous?: Binding;
}

/** The registrar's events by name, for each binding one, after the store has it. */
export interface RegistrarEvents {
  readonly added: [event: BindingEvent];
  readonly refreshed: [event: BindingEvent];
  /** By its user, or to make room for another of hers. */
  readonly removed: [event: BindingEvent];
  /** By its time; at the latest when its user's bindings are next changed. */
  readonly expired: [event: BindingEvent];
  /** Nothing can be sent to it any more: its connection was lost, or its edge proxy said 430. */
  readonly lost: [event: BindingEvent];
}

export type BindingEventName = keyof RegistrarEvents;
