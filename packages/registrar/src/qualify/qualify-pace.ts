/** Milliseconds between two steps, at least: of more users than steps some share one. */
const SHORTEST_STEP = 20;
/** Milliseconds between two steps, at most: how soon it is noticed that there are more users. */
const LONGEST_STEP = 1000;
/** Users of one step, at most. */
const MOST_A_STEP = 100;
/** Turns that are made up for when steps came late, as fast as steps go: a second's worth. */
const MOST_SAVED = (MOST_A_STEP * LONGEST_STEP) / SHORTEST_STEP;
/** What is lost in sums of fractions. */
const TINY = 1e-9;

/** How a pace is kept. */
export interface PaceOptions {
  /** Milliseconds in which everybody's turn comes, at most. */
  readonly interval: number;
  /** The part of it of which chance takes off up to all, for each turn. */
  readonly jitter: number;
  /** A number from 0 to less than 1. */
  readonly chance: () => number;
}

/**
 * Deals turns to users who come round again and again, evenly over an interval, however many they are and become: one
 * timer's worth of arithmetic. A turn is saved up for, at as many turns an interval as there are users; chance makes
 * each turn cheaper, so that it comes earlier, never later.
 */
export class QualifyPace {
  readonly #interval: number;
  readonly #jitter: number;
  readonly #chance: () => number;
  #saved = 0;
  #cost: number;
  #last: number;

  constructor({ interval, jitter, chance }: PaceOptions, now: number) {
    this.#interval = interval;
    this.#jitter = jitter;
    this.#chance = chance;
    this.#cost = this.#nextCost();
    this.#last = now;
  }

  /** Milliseconds until something is due, or until it is time to look how many users there are. */
  delay(users: number, now: number): number {
    const wait = ((this.#cost - this.#saved) * this.#interval) / users;
    const step = users === 0 ? LONGEST_STEP : clamp(wait);
    return Math.max(0, Math.ceil(this.#last + step - now));
  }

  /** How many turns are due, which begins the time until the next ones. */
  take(now: number, users: number): number {
    this.#saved += (Math.min(now - this.#last, LONGEST_STEP) * users) / this.#interval;
    this.#last = now;
    let turns = 0;
    for (; turns < MOST_A_STEP && this.#saved + TINY >= this.#cost; turns += 1) {
      this.#saved -= this.#cost;
      this.#cost = this.#nextCost();
    }
    this.#saved = Math.min(this.#saved, MOST_SAVED);
    return turns;
  }

  /** Turns that nobody was found for: they come next. */
  giveBack(turns: number): void {
    this.#saved += turns;
  }

  /** Nothing was due until now. */
  rest(now: number): void {
    this.#last = now;
    this.#saved = 0;
  }

  #nextCost(): number {
    return 1 - this.#jitter * this.#chance();
  }
}

function clamp(wait: number): number {
  return Math.min(LONGEST_STEP, Math.max(SHORTEST_STEP, wait));
}
