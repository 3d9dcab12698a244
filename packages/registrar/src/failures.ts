import { type Awaitable, isPromise } from "@sipkit/core";

/** Puts another error in the place of what `run` throws, now or later. */
export function mapFailure<T>(
  run: () => Awaitable<T>,
  map: (cause: unknown) => unknown,
): Awaitable<T> {
  return recover(run, (cause) => {
    throw map(cause);
  });
}

/** Goes on with what `recovered` gives where `run` throws, now or later; it may throw itself. */
export function recover<T>(
  run: () => Awaitable<T>,
  recovered: (cause: unknown) => T,
): Awaitable<T> {
  try {
    const outcome = run();
    return isPromise(outcome) ? outcome.then(undefined, recovered) : outcome;
  } catch (cause) {
    return recovered(cause);
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
