import { detach, type FlowRef } from "@sipkit/core";
import type { Binding } from "./binding.ts";

/** What the flows of one leg have in common. */
export type FlowPlace = Pick<FlowRef, "node" | "epoch" | "protocol" | "local">;

/** What devices of one make have in common, and often what an application keeps with them. */
export type Agent = Pick<Binding, "userAgent" | "methods" | "attributes">;

/** Of a binding that says nothing of it. */
export const NO_AGENT: Agent = Object.freeze({});

/** By what name a part is found that others may have too, and how a copy of it is made. */
export type Shared<T> = readonly [
  key: string,
  make: () => { readonly key: string; readonly value: T },
];

export function isOfPlace(flow: FlowRef | undefined, place: FlowPlace | undefined): boolean {
  if (flow === undefined || place === undefined) return flow === place;
  return (
    flow.local === place.local &&
    flow.protocol === place.protocol &&
    flow.epoch === place.epoch &&
    flow.node === place.node
  );
}

export function placeOf({ node, epoch, protocol, local }: FlowRef): Shared<FlowPlace> {
  const key = JSON.stringify([node, epoch, protocol, local]);
  const make = (): FlowPlace => ({
    node: detach(node),
    epoch: detach(epoch),
    protocol,
    local: detach(local),
  });
  return [key, () => ({ key, value: make() })];
}

export function isSameList(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, index) => text === others[index]);
}

export function pathOf(path: readonly string[]): Shared<readonly string[]> {
  const key = JSON.stringify(path);
  return [key, () => ({ key, value: path.map(detach) })];
}

export function isOfAgent(binding: Binding, agent: Agent): boolean {
  return (
    binding.userAgent === agent.userAgent &&
    isSame(binding.methods, agent.methods) &&
    isSame(wordsOf(binding.attributes), wordsOf(agent.attributes))
  );
}

function isSame(one: readonly string[] | undefined, other: readonly string[] | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return isSameList(one, other);
}

function wordsOf(attributes: Binding["attributes"]): readonly string[] | undefined {
  return attributes && Object.entries(attributes).flat();
}

export function agentOf({ userAgent, methods, attributes }: Binding): Shared<Agent> {
  if (userAgent !== undefined && methods === undefined && attributes === undefined) {
    return [
      userAgent,
      () => {
        const own = detach(userAgent);
        return { key: own, value: { userAgent: own } };
      },
    ];
  }
  // No header's value begins with a line end.
  const key = `\n${JSON.stringify({ userAgent, methods, attributes })}`;
  // The copy is read from the key: it holds on to nothing of what was given.
  return [key, () => ({ key, value: JSON.parse(key) as Agent })];
}
