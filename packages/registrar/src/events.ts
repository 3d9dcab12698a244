import type { Binding } from "./binding.ts";

/**
 * Why a binding was removed: `"unregistered"` by a REGISTER, `"replaced"` to make room for another of its user,
 * `"operator"` by `Registrar.remove`.
 */
export type RemovalReason = "unregistered" | "replaced" | "operator";

/** What became of a binding. */
export interface BindingEvent {
  /** Canonical: `sip:user@host`, the user unescaped; `userUri` makes a URI of it. */
  readonly addressOfRecord: string;
  readonly binding: Binding;
  /** What a refresh replaced. */
  readonly previous?: Binding;
  /** Of `removed` alone, and always there. */
  readonly reason?: RemovalReason;
  /**
   * Who did it: of a REGISTER the user whose credentials it had (`identity`), of `Registrar.remove` whom its caller
   * named. Left out where nobody did, or nobody knows who.
   */
  readonly by?: string;
}

/** What pings have told of a binding. */
export interface ReachabilityEvent {
  /** As in {@link BindingEvent}. */
  readonly addressOfRecord: string;
  readonly binding: Binding;
  /** Of `reachable` alone: milliseconds from the ping to its answer. */
  readonly roundTripTime?: number;
}

export type ReachabilityEventName = "reachable" | "unreachable";

/** The registrar's events by name, for each binding one, after the store has it. */
export interface RegistrarEvents {
  readonly added: [event: BindingEvent];
  /** The same device again, or another contact that takes its place; `previous` is what was there. */
  readonly refreshed: [event: BindingEvent];
  /** Before its time; `reason` says why. */
  readonly removed: [event: BindingEvent];
  /** By its time; at the latest when its user's bindings are next changed. */
  readonly expired: [event: BindingEvent];
  /** Nothing can be sent to it any more: its connection was lost, its edge proxy said 430, or its pings went unanswered. */
  readonly lost: [event: BindingEvent];
  /** A ping was answered, and none before it, or the one before it was not. */
  readonly reachable: [event: ReachabilityEvent];
  /** As many pings in a row as `failures` says were not answered. */
  readonly unreachable: [event: ReachabilityEvent];
}

export type BindingEventName = Exclude<keyof RegistrarEvents, ReachabilityEventName>;
