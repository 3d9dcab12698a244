/** Writes lines to standard output, those of one turn of the event loop at once: a line alone costs as much as a packet. */
export class LineWriter {
  #lines = "";

  readonly write = (line: string): void => {
    if (this.#lines === "") setImmediate(() => this.flush());
    this.#lines += `${line}\n`;
  };

  flush(): void {
    process.stdout.write(this.#lines);
    this.#lines = "";
  }
}
