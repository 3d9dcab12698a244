import { type Outcome, type Verdict, whenKnown } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { mapFailure } from "./failures.ts";
import type { Life } from "./life.ts";

/** Reads a user's bindings for a request: a store that is away is answered 503. */
export function readBindings(
  { store, failures }: Life,
  addressOfRecord: string,
  next: (bindings: readonly Binding[] | undefined) => Outcome,
): Outcome {
  const bindings = mapFailure(() => store.read(addressOfRecord), failures.ofRead);
  return whenKnown<readonly Binding[] | undefined, Verdict>(bindings, next);
}
