/** Goes on with a value as soon as it is there: at once, and without a promise, when it is there already. */
export function whenKnown<T, R>(
  value: T | Promise<T>,
  next: (value: T) => R | Promise<R>,
): R | Promise<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** Puts another error in the place of what `run` throws, now or later. */
export function mapFailure<T>(
  run: () => T | Promise<T>,
  map: (cause: unknown) => unknown,
): T | Promise<T> {
  const fail = (cause: unknown): never => {
    throw map(cause);
  };
  try {
    const outcome = run();
    return isPromise(outcome) ? outcome.catch(fail) : outcome;
  } catch (cause) {
    return fail(cause);
  }
}

/** Runs what nobody waits for; what it throws, now or later, is told. */
export function runDetached(run: () => unknown, failed: (cause: unknown) => void): void {
  try {
    const outcome = run();
    if (isPromise(outcome)) outcome.catch(failed);
  } catch (cause) {
    failed(cause);
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
