import { detach, type FlowRef } from "@sipkit/core";

/** What the flows of one leg have in common. */
export type FlowPlace = Pick<FlowRef, "node" | "epoch" | "protocol" | "local">;

/**
 * Keeps one copy of what many bindings share: legs, User-Agents, Paths. Bounded: when it is full it starts anew, and
 * what was shared before stays as it is.
 */
export class SharedParts {
  readonly #texts = new Map<string, string>();
  readonly #places = new Map<string, FlowPlace>();
  readonly #capacity: number;

  /** `capacity`: texts, and places. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const own = detach(text);
    return keep(this.#texts, own, own, this.#capacity);
  }

  place(flow: FlowRef): FlowPlace {
    const key = JSON.stringify([flow.node, flow.epoch, flow.protocol, flow.local]);
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    const { protocol } = flow;
    const [node, epoch, local] = [detach(flow.node), detach(flow.epoch), detach(flow.local)];
    return keep(this.#places, key, { node, epoch, protocol, local }, this.#capacity);
  }
}

/** Whether a flow is of that place. */
export function isOfPlace(flow: FlowRef, place: FlowPlace): boolean {
  return (
    flow.local === place.local &&
    flow.protocol === place.protocol &&
    flow.epoch === place.epoch &&
    flow.node === place.node
  );
}

function keep<T>(map: Map<string, T>, key: string, value: T, capacity: number): T {
  if (map.size >= capacity) map.clear();
  map.set(key, value);
  return value;
}
