import { asRequestUri, type FlowRef, SipError, type Target, whenKnown } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { ConnectionUsers } from "./connection-users.ts";
import { deviceOf } from "./device.ts";
import type { BindingEvent, BindingEventName } from "./events.ts";
import { runDetached } from "./failures.ts";
import type { Life } from "./life.ts";
import { withoutPush } from "./push/push-device.ts";
import { wakeable } from "./push/push-options.ts";
import { isLost, isOwnConnection } from "./reachability.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/**
 * Removes bindings that nothing can be sent to any more: their connection was lost, or the edge proxy that kept it
 * answered 430.
 *
 * RFC 5626 §7
 */
export class LostFlows {
  readonly #life: Life;
  readonly #users = new ConnectionUsers();

  constructor(life: Life) {
    this.#life = life;
  }

  /** To be told of what becomes of each binding. */
  note(name: BindingEventName, { addressOfRecord, binding, previous }: BindingEvent): void {
    const isKept = name === "added" || name === "refreshed";
    const before = this.#connectionOf(isKept ? previous?.flow : binding.flow);
    const after = isKept ? this.#connectionOf(binding.flow) : undefined;
    if (before === after) return;
    if (before !== undefined) this.#users.delete(before, addressOfRecord);
    if (after === undefined) return;
    this.#users.add(after, addressOfRecord);
    // A store that took its time: the connection was lost meanwhile, and nobody tells of it again.
    if (isLost(binding, this.#life.server)) this.connectionClosed(after);
  }

  connectionClosed(connection: number): void {
    for (const addressOfRecord of this.#users.take(connection)) {
      this.#dropLost(addressOfRecord, ({ flow }) => this.#connectionOf(flow) === connection);
    }
  }

  /** A request found nobody there. */
  targetGone(addressOfRecord: string, target: Target): void {
    const { server } = this.#life;
    this.#dropLost(addressOfRecord, (binding) => {
      if (!isSamePlace(binding, target)) return false;
      if (isLost(binding, server)) return true;
      // Behind a Path it is the edge proxy that knows, or another node; both speak of flows. RFC 5626 §5.3.1
      return (
        target.flow === undefined &&
        (binding.flow !== undefined || deviceOf(binding).regId !== undefined)
      );
    });
  }

  #connectionOf(flow: FlowRef | undefined): number | undefined {
    if (flow?.connection === undefined) return undefined;
    return isOwnConnection(flow, this.#life.server) ? flow.connection : undefined;
  }

  #dropLost(addressOfRecord: string, isGone: (binding: Binding) => boolean): void {
    if (this.#life.settings.onConnectionLost === "remove") this.drop(addressOfRecord, isGone);
  }

  /** Removes those of a user's bindings that are gone, unless a push wakes their devices, and tells of each. */
  drop(addressOfRecord: string, isGone: (binding: Binding) => boolean): void {
    const { store, order, tell, server, failures, settings } = this.#life;
    // Who can be woken comes back over another connection. RFC 8599 §1
    const mayGo = (binding: Binding): boolean =>
      isGone(binding) && wakeable(binding, settings.push) === undefined;
    const failed = (cause: unknown): void => {
      if (cause instanceof StoreUnavailable) failures.reportAway(cause);
      else server.report(new SipError("SIP_STORE", "a lost binding stays in the store", { cause }));
    };
    runDetached(() => {
      let lost: readonly Binding[] = [];
      const updated = order.run(addressOfRecord, () =>
        store.update(addressOfRecord, (bindings) => {
          lost = bindings.filter(mayGo);
          return lost.length === 0 ? bindings : bindings.filter((each) => !lost.includes(each));
        }),
      );
      return whenKnown(updated, () => {
        for (const binding of lost) tell("lost", { addressOfRecord, binding });
      });
    }, failed);
  }
}

function isSamePlace({ uri, path, flow }: Binding, target: Target): boolean {
  if (withoutPush(asRequestUri(uri)) !== withoutPush(target.uri)) return false;
  if (target.flow === undefined) return path.length > 0 && path.join() === target.route.join();
  return (
    flow?.remote === target.flow.remote &&
    flow.connection === target.flow.connection &&
    flow.local === target.flow.local
  );
}
