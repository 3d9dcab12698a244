// A place has two words: a position and the hash of its key, so that few keys are looked at. 0 is an empty place.
const PLACE = 2;
const SMALLEST = PLACE * 256;
// Keys that were chosen to meet at one place cost no more than this, and are not kept.
const LONGEST_PROBE = 64;

/** What an entry costs, in bytes: the index is half full at most and a quarter full at least. */
export const INDEX_BYTES: number = 4 * PLACE * 3;

/** Finds positions by their keys, which are kept elsewhere: open addressing in an array that holds no objects. */
export class AnswerIndex {
  readonly #isAt: (position: number, key: string) => boolean;
  #places = new Int32Array(SMALLEST);
  #size = 0;
  #lastKey = "";
  #lastHash = 0;

  /** `isAt` tells whether that key is the one of a position. */
  constructor(isAt: (position: number, key: string) => boolean) {
    this.#isAt = isAt;
  }

  /** How many positions there are. */
  get size(): number {
    return this.#size;
  }

  /** A key is looked for, and then added: its hash is computed once. */
  hash(key: string): number {
    if (key !== this.#lastKey) {
      this.#lastHash = hashOf(key);
      this.#lastKey = key;
    }
    return this.#lastHash;
  }

  /** The position of a key; 0 when it has none. */
  find(key: string): number {
    if (this.#size === 0) return 0;
    const place = this.#place(key, this.hash(key));
    return place < 0 ? 0 : (this.#places[place] as number);
  }

  /** The place to put a new key's position at; -1 when it has one already, or its neighbourhood is full. */
  vacancy(key: string): number {
    if (this.#size * 2 * PLACE >= this.#places.length) this.#resize(this.#places.length * 2);
    const place = this.#place(key, this.hash(key));
    return place < 0 || this.#places[place] !== 0 ? -1 : place;
  }

  /** Fills the `vacancy` of a key with its position, which is not 0. */
  put(place: number, position: number, hash: number): void {
    this.#places[place] = position;
    this.#places[place + 1] = hash;
    this.#size++;
  }

  /** Takes a position out, and moves those up that lie behind their own place for it. */
  delete(position: number, hash: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let hole = (hash * PLACE) & mask;
    while (places[hole] !== position) hole = (hole + PLACE) & mask;
    for (let next = (hole + PLACE) & mask; places[next] !== 0; next = (next + PLACE) & mask) {
      const home = ((places[next + 1] as number) * PLACE) & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        places[hole] = places[next] as number;
        places[hole + 1] = places[next + 1] as number;
        hole = next;
      }
    }
    places[hole] = 0;
    this.#size--;
    if (this.#size === 0 && places.length > SMALLEST) this.clear();
  }

  /** Forgets all. */
  clear(): void {
    this.#places = new Int32Array(SMALLEST);
    this.#size = 0;
  }

  /** Where the key is, or would be; -1 when its neighbourhood is full. */
  #place(key: string, hash: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let place = (hash * PLACE) & mask;
    for (let probe = 0; probe < LONGEST_PROBE; probe++) {
      const position = places[place] as number;
      if (position === 0 || (places[place + 1] === hash && this.#isAt(position, key))) return place;
      place = (place + PLACE) & mask;
    }
    return -1;
  }

  #resize(length: number): void {
    const old = this.#places;
    const places = new Int32Array(length);
    const mask = length - 1;
    for (let from = 0; from < old.length; from += PLACE) {
      if (old[from] === 0) continue;
      let place = ((old[from + 1] as number) * PLACE) & mask;
      while (places[place] !== 0) place = (place + PLACE) & mask;
      places[place] = old[from] as number;
      places[place + 1] = old[from + 1] as number;
    }
    this.#places = places;
  }
}

function hashOf(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return hash ^ (hash >>> 15);
}
