/** The headers whose first line is noted: those with the lowest numbers, which everybody asks for. */
const NOTED = 14;
const HALF = 7;
const PLACE_BITS = 4;
/** As many places as fit into the bits of a header. */
const MAX_PLACE = 15;

/**
 * Where the first lines of a message's headers are, as long as no line comes or goes: a few numbers a message instead
 * of a search a question.
 */
export class LineIndex {
  /** Four bits a header: the place of its first line, counted from 1; 0 for a header that isn't there. */
  #low = 0;
  #high = 0;
  /** One bit a header, numbers modulo 32. */
  #present = 0;
  #count = 0;

  /** Notes the next line; `false` when the header is noted already. */
  note(id: number): void {
    this.#count++;
    this.#present |= 1 << (id & 31);
    if (id === 0 || id > NOTED || this.#count > MAX_PLACE) return;
    const shift = ((id - 1) % HALF) * PLACE_BITS;
    const places = id <= HALF ? this.#low : this.#high;
    if (((places >> shift) & MAX_PLACE) !== 0) return;
    if (id <= HALF) this.#low |= this.#count << shift;
    else this.#high |= this.#count << shift;
  }

  /** The place of a header's first line, from 0; -1 when it isn't there; -2 when the lines must be looked through. */
  placeOf(id: number): number {
    if ((this.#present & (1 << (id & 31))) === 0) return -1;
    if (id > NOTED || this.#count > MAX_PLACE) return -2;
    const places = id <= HALF ? this.#low : this.#high;
    return ((places >> (((id - 1) % HALF) * PLACE_BITS)) & MAX_PLACE) - 1;
  }
}
