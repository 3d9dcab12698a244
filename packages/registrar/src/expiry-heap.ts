/** What an `ExpiryHeap` holds: it writes the entry's own place there. */
export interface HeapEntry {
  /** The heap's alone; -1 outside. */
  place: number;
}

const FIRST_CAPACITY = 64;

/**
 * Entries by time, the earliest on top. Each entry is in it once and knows its place, so that it is moved and removed
 * without a search and nothing stale stays behind; times lie beside the entries, unboxed.
 */
export class ExpiryHeap<Entry extends HeapEntry> {
  readonly #entries: Entry[] = [];
  #times: Float64Array = new Float64Array(FIRST_CAPACITY);

  get size(): number {
    return this.#entries.length;
  }

  /** The earliest entry. */
  get top(): Entry | undefined {
    return this.#entries[0];
  }

  /** The earliest time. */
  get topTime(): number | undefined {
    return this.#entries.length === 0 ? undefined : this.#times[0];
  }

  timeOf(entry: Entry): number {
    return this.#times[entry.place] as number;
  }

  add(entry: Entry, time: number): void {
    const place = this.#entries.length;
    if (place === this.#times.length) {
      const longer = new Float64Array(place * 2);
      longer.set(this.#times);
      this.#times = longer;
    }
    this.#entries.push(entry);
    this.#rise(entry, time, place);
  }

  /** Gives an entry of the heap another time. */
  move(entry: Entry, time: number): void {
    if (time < this.timeOf(entry)) this.#rise(entry, time, entry.place);
    else this.#sink(entry, time, entry.place);
  }

  remove(entry: Entry): void {
    const { place } = entry;
    const last = this.#entries.pop() as Entry;
    entry.place = -1;
    if (last === entry) return;
    const time = this.#times[this.#entries.length] as number;
    if (time < (this.#times[place] as number)) this.#rise(last, time, place);
    else this.#sink(last, time, place);
  }

  #rise(entry: Entry, time: number, from: number): void {
    const times = this.#times;
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if ((times[parent] as number) <= time) break;
      this.#put(this.#entries[parent] as Entry, times[parent] as number, place);
      place = parent;
    }
    this.#put(entry, time, place);
  }

  #sink(entry: Entry, time: number, from: number): void {
    const times = this.#times;
    const count = this.#entries.length;
    let place = from;
    for (let child = 2 * place + 1; child < count; child = 2 * place + 1) {
      if (child + 1 < count && (times[child + 1] as number) < (times[child] as number)) child += 1;
      if ((times[child] as number) >= time) break;
      this.#put(this.#entries[child] as Entry, times[child] as number, place);
      place = child;
    }
    this.#put(entry, time, place);
  }

  #put(entry: Entry, time: number, place: number): void {
    this.#entries[place] = entry;
    this.#times[place] = time;
    entry.place = place;
  }
}
