import { isPromise } from "../when-known.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** An object whose methods hold time while the promises that they gave are pending. */
export function track<T extends object>(
  clock: VirtualClock,
  object: T,
  name: string = object.constructor.name,
): T {
  return new Proxy(object, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        const outcome: unknown = Reflect.apply(value, target, args);
        if (!isPromise(outcome)) return outcome;
        return clock.hold(outcome, `${name}.${String(property)}`);
      };
    },
  });
}
