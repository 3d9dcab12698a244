import type { Binding } from "./binding.ts";

/** Seconds until a binding ends, at least 1 for one that is in force. */
export function remainingSeconds({ expiresAt }: Binding, now: number): number {
  return Math.ceil((expiresAt - now) / 1000);
}
