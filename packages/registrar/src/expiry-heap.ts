const FIRST_CAPACITY = 64;

/** Where the heap notes each entry's place in it. */
export interface HeapPlaces {
  placeOf(entry: number): number;
  /** -1: not in the heap. */
  setPlace(entry: number, place: number): void;
}

/**
 * Entries, which are numbers, by time, the earliest on top. Each is in it once and its place is known, so that it is
 * moved and removed without a search and nothing stale stays behind.
 */
export class ExpiryHeap {
  readonly #places: HeapPlaces;
  #entries = new Int32Array(FIRST_CAPACITY);
  #times = new Float64Array(FIRST_CAPACITY);
  #size = 0;

  constructor(places: HeapPlaces) {
    this.#places = places;
  }

  get size(): number {
    return this.#size;
  }

  /** The earliest entry. */
  get top(): number | undefined {
    return this.#size === 0 ? undefined : this.#entries[0];
  }

  /** The earliest time. */
  get topTime(): number | undefined {
    return this.#size === 0 ? undefined : this.#times[0];
  }

  timeOf(entry: number): number {
    return this.#times[this.#places.placeOf(entry)] as number;
  }

  add(entry: number, time: number): void {
    if (this.#size === this.#entries.length) {
      const [entries, times] = [this.#entries, this.#times];
      this.#entries = new Int32Array(this.#size * 2);
      this.#entries.set(entries);
      this.#times = new Float64Array(this.#size * 2);
      this.#times.set(times);
    }
    this.#size += 1;
    this.#rise(entry, time, this.#size - 1);
  }

  /** Gives an entry of the heap another time. */
  move(entry: number, time: number): void {
    const place = this.#places.placeOf(entry);
    if (time < (this.#times[place] as number)) this.#rise(entry, time, place);
    else this.#sink(entry, time, place);
  }

  remove(entry: number): void {
    const place = this.#places.placeOf(entry);
    this.#places.setPlace(entry, -1);
    this.#size -= 1;
    if (place === this.#size) return;
    const last = this.#entries[this.#size] as number;
    const time = this.#times[this.#size] as number;
    if (time < (this.#times[place] as number)) this.#rise(last, time, place);
    else this.#sink(last, time, place);
  }

  #rise(entry: number, time: number, from: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if ((this.#times[parent] as number) <= time) break;
      this.#lift(parent, place);
      place = parent;
    }
    this.#put(entry, time, place);
  }

  #sink(entry: number, time: number, from: number): void {
    const times = this.#times;
    let place = from;
    for (let child = 2 * place + 1; child < this.#size; child = 2 * place + 1) {
      const other = child + 1;
      if (other < this.#size && (times[other] as number) < (times[child] as number)) child = other;
      if ((times[child] as number) >= time) break;
      this.#lift(child, place);
      place = child;
    }
    this.#put(entry, time, place);
  }

  #lift(from: number, to: number): void {
    this.#put(this.#entries[from] as number, this.#times[from] as number, to);
  }

  #put(entry: number, time: number, place: number): void {
    this.#entries[place] = entry;
    this.#times[place] = time;
    this.#places.setPlace(entry, place);
  }
}
