import { channel } from "node:diagnostics_channel";

/**
 * A channel of `node:diagnostics_channel` that knows what it carries, which Node's own types leave open. A listener runs
 * within the call that publishes: it is to be quick, and one that throws ends the process, as Node has it.
 */
export interface EventChannel<Event> {
  readonly name: string | symbol;
  /** Asked before an event is made, so that nothing is where nobody listens. */
  readonly hasSubscribers: boolean;
  publish(event: Event): void;
  subscribe(listener: (event: Event) => void): void;
  unsubscribe(listener: (event: Event) => void): void;
}

/** What every event says. */
export interface TraceEvent {
  /** When, by the clock of the dispatcher: `clock.now()`, in milliseconds. */
  readonly at: number;
  /** The dispatcher's `node`, where a process has several; empty in a chain that no dispatcher has started. */
  readonly node: string;
}

/** The channel of that name, which holds for the whole process. */
export function eventChannel<Event extends TraceEvent>(name: string): EventChannel<Event> {
  return channel(name) as EventChannel<Event>;
}
