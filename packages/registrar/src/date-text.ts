import { date } from "@sipkit/core";

/** Writes Date headers; the text of a second is made once. RFC 3261 §20.17 */
export class DateText {
  #second = Number.NaN;
  #text = "";

  /** `wall` in milliseconds since 1970. */
  at(wall: number): string {
    const second = Math.floor(wall / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = date.format(second * 1000);
    }
    return this.#text;
  }
}
