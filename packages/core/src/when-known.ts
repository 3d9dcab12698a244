/** A value, now or later. */
export type Awaitable<T> = T | Promise<T>;

/** Whether a value comes later: a promise, or what a database's driver gives for one. */
export function isPromise<T>(value: Awaitable<T>): value is Promise<T> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}

/**
 * Goes on with a value as soon as it is there: at once, and without a promise, when it is there already. For handlers
 * that ask a store, credentials or a directory which may be near or far: one code path serves both, and the near one
 * costs nothing. What `next` throws is thrown, or rejects, accordingly.
 *
 * @example
 * const bindings = whenKnown(store.read(user), (found = []) => found.length);
 */
export function whenKnown<T, R>(
  value: Awaitable<T>,
  next: (value: T) => Awaitable<R>,
): Awaitable<R> {
  return isPromise(value) ? value.then(next) : next(value);
}
