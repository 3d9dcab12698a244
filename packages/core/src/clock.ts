/** A timer that was set; cancelling it twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time, injected everywhere, so that a test can run on virtual time. */
export interface Clock {
  /** Monotonic milliseconds with fractions: for timers and durations. */
  now(): number;
  /** Milliseconds since 1970: for Date headers, nonces and what a store keeps. */
  wall(): number;
  /** Runs `run` once after `delay` milliseconds. A timer alone never keeps the process alive. */
  setTimer(delay: number, run: () => void): Timer;
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(delay, run) {
    const timer = setTimeout(run, delay).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
