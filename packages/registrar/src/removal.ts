import { type Awaitable, whenKnown } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { bindingId } from "./binding-id.ts";
import type { Life } from "./life.ts";

/** Which bindings `Registrar.remove` takes away, and for whom. */
export interface RemoveOptions {
  /** Only the binding of this `id`; left out: all that the user has. */
  readonly id?: string | undefined;
  /** Who wants it, for those who listen to `removed`. */
  readonly by?: string | undefined;
}

/** Removes bindings of a user in the store, after what is under way for her, and tells of each. */
export function removeBindings(
  { store, order, server, tell, failures }: Life,
  addressOfRecord: string,
  { id, by }: RemoveOptions,
): Awaitable<readonly Binding[]> {
  let removed: readonly Binding[] = [];
  const updated = order.run(addressOfRecord, () =>
    store.update(addressOfRecord, (bindings) => {
      const now = server.clock.wall();
      removed = bindings.filter(
        (binding) => binding.expiresAt > now && (id === undefined || bindingId(binding) === id),
      );
      return removed.length === 0 ? bindings : bindings.filter((each) => !removed.includes(each));
    }),
  );
  return whenKnown(updated, () => {
    failures.storeIsBack();
    for (const binding of removed) {
      tell("removed", { addressOfRecord, binding, reason: "operator", ...(by && { by }) });
    }
    return removed;
  });
}
