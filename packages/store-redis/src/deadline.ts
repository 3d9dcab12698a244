import type { Clock } from "@sipkit/core";
import { StoreUnavailable } from "@sipkit/registrar";

/** Gives what a promise gives, or rejects with a `StoreUnavailable` when that takes longer than `within` milliseconds. */
export function inTime<T>(
  clock: Clock,
  within: number,
  promise: Promise<T>,
  late?: () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(within, () => {
      reject(new StoreUnavailable(`Redis has not answered in ${within} ms`));
      late?.();
    });
    promise.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
