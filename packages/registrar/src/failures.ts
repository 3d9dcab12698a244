import { type Awaitable, isPromise } from "@sipkit/core";

/** Puts another error in the place of what `run` throws, now or later. */
export function mapFailure<T>(
  run: () => Awaitable<T>,
  map: (cause: unknown) => unknown,
): Awaitable<T> {
  const fail = (cause: unknown): never => {
    throw map(cause);
  };
  try {
    const outcome = run();
    return isPromise(outcome) ? outcome.then(undefined, fail) : outcome;
  } catch (cause) {
    return fail(cause);
  }
}

/** Runs what nobody waits for; what it throws, now or later, is told. */
export function runDetached(run: () => unknown, failed: (cause: unknown) => void): void {
  try {
    const outcome = run();
    if (isPromise(outcome)) outcome.then(undefined, failed);
  } catch (cause) {
    failed(cause);
  }
}
