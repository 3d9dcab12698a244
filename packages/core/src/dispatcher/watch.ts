import type { Clock } from "../clock.ts";
import { TimerQueue } from "../transaction/timer-queue.ts";

/** Which of a waiting request's timers ran out. */
export type WatchTimer = "trying" | "overdue";

/** A request that waits for its answer. */
export interface Watched {
  fired(timer: WatchTimer): void;
}

/** The timers of one waiting request, kept by it; 0 where none runs. */
export interface WatchState {
  trying: number;
  overdue: number;
  queue: TimerQueue<Watched, WatchTimer> | undefined;
}

const INVITE_TRYING = 200;
/** Timer C is more than three minutes. */
const TIMER_C = 181_000;

/**
 * Watches the requests that handlers keep waiting: a 100 when a client would go on to retransmit, and an end when
 * nobody answers.
 */
export class Watch {
  readonly #inviteTrying: TimerQueue<Watched, WatchTimer>;
  readonly #otherTrying: TimerQueue<Watched, WatchTimer>;
  readonly #timerC: TimerQueue<Watched, WatchTimer>;
  readonly #timeout: TimerQueue<Watched, WatchTimer>;

  /** `untilT2`: when a client's Timer E has reached T2, in milliseconds after its request. */
  constructor(clock: Clock, t1: number, untilT2: number) {
    const fire = (task: Watched, timer: WatchTimer): void => task.fired(timer);
    // RFC 3261 §17.2.1: a 100 unless the answer comes within 200 ms.
    this.#inviteTrying = new TimerQueue(clock, INVITE_TRYING, fire);
    // RFC 4320 §4.1: none for others before the client's Timer E has reached T2.
    this.#otherTrying = new TimerQueue(clock, untilT2, fire);
    // RFC 3261 §16.6 item 11.
    this.#timerC = new TimerQueue(clock, TIMER_C, fire);
    // A little more than a client's 64·T1: a proxy's own Timer F ends what it forwarded, and must come first.
    this.#timeout = new TimerQueue(clock, 65 * t1, fire);
  }

  /** How many requests wait. */
  get size(): number {
    return this.#timerC.size + this.#timeout.size;
  }

  begin(task: Watched, isInvite: boolean): WatchState {
    const queue = isInvite ? this.#timerC : this.#timeout;
    const trying = isInvite ? this.#inviteTrying : this.#otherTrying;
    return {
      trying: trying.start(task, "trying") + 1,
      overdue: queue.start(task, "overdue") + 1,
      queue,
    };
  }

  /** A provisional response went out for an INVITE: the time for the final one begins anew. RFC 3261 §16.7 item 2 */
  provisional(task: Watched, state: WatchState): void {
    this.#stopTrying(state);
    if (state.queue !== this.#timerC) return;
    state.queue.stop(state.overdue - 1);
    state.overdue = state.queue.start(task, "overdue") + 1;
  }

  /** A CANCEL came: who is to answer has as long as a client waits for it. RFC 3261 §9.1 */
  cancelled(task: Watched, state: WatchState): void {
    this.end(state);
    state.queue = this.#timeout;
    state.overdue = this.#timeout.start(task, "overdue") + 1;
  }

  end(state: WatchState): void {
    this.#stopTrying(state);
    if (state.overdue > 0) state.queue?.stop(state.overdue - 1);
    state.overdue = 0;
  }

  close(): void {
    for (const queue of [this.#inviteTrying, this.#otherTrying, this.#timerC, this.#timeout])
      queue.close();
  }

  #stopTrying(state: WatchState): void {
    if (state.trying > 0) {
      const trying = state.queue === this.#timerC ? this.#inviteTrying : this.#otherTrying;
      trying.stop(state.trying - 1);
    }
    state.trying = 0;
  }
}
