/** A value, now or later. */
export type Awaitable<T> = T | Promise<T>;

/** Whether a value comes later: a promise, or what a database's driver gives for one. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
