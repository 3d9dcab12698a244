import { detach } from "@sipkit/core";
import { BoundedMap } from "./bounded-map.ts";

/** How many requests without a proof may come from one address. */
export interface RateOptions {
  /** As many may come at once. */
  readonly requests?: number;
  /** In this many milliseconds as many more may come. */
  readonly interval?: number;
}

interface Bucket {
  left: number;
  at: number;
  /** Whether it was told that it is empty. */
  told: boolean;
}

/** A bucket of requests for each sender, which fills as time passes. */
export class RequestRate {
  readonly #requests: number;
  readonly #interval: number;
  readonly #buckets: BoundedMap<Bucket>;

  constructor({ requests, interval }: Required<RateOptions>, size: number, onForget: () => void) {
    this.#requests = requests;
    this.#interval = interval;
    this.#buckets = new BoundedMap(size, (bucket, now) => now - bucket.at >= interval, onForget);
  }

  /** Takes a request out. Gives `"empty"` when there is none, `"emptied"` when that hasn't been told yet. */
  take(key: string, now: number): "taken" | "empty" | "emptied" {
    const bucket = this.#fill(key, now);
    if (bucket.left >= 1) {
      bucket.left -= 1;
      return "taken";
    }
    if (bucket.told) return "empty";
    bucket.told = true;
    return "emptied";
  }

  /** Puts requests back, which were proved. */
  putBack(key: string, count: number): void {
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined) bucket.left = Math.min(this.#requests, bucket.left + count);
  }

  #fill(key: string, now: number): Bucket {
    const known = this.#buckets.get(key);
    if (known === undefined) {
      const made = { left: this.#requests, at: now, told: false };
      this.#buckets.set(detach(key), made, now);
      return made;
    }
    const more = ((now - known.at) * this.#requests) / this.#interval;
    known.left = Math.min(this.#requests, known.left + more);
    if (known.left > this.#requests / 2) known.told = false;
    known.at = now;
    return known;
  }
}
