import { type ReachabilityEvent, type Registrar, withoutPush } from "@sipkit/registrar";

const changes = ["added", "refreshed", "removed", "expired", "lost"] as const;

/** Writes a line for each change of a binding, and for each that a ping finds reachable or not. */
export function logBindings(registrar: Registrar, write: (line: string) => void): void {
  for (const event of [...changes, "reachable", "unreachable"] as const) {
    registrar.events.on(event, ({ addressOfRecord, binding }: ReachabilityEvent) => {
      write(`${event} ${addressOfRecord} at ${JSON.stringify(withoutPush(binding.uri))}`);
    });
  }
}
