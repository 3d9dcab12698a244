import type { HeaderLines } from "./header-lines.ts";

/** What a message is made of before it is a request or a response: where its parts are in the text it came in. */
export class Head {
  /** The wire string that it came in; empty for a message made here. */
  readonly text: string;
  /** Where the start line begins, where the headers do, where the body does, and where it ends. */
  readonly start: number;
  readonly headersStart: number;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  readonly headers: HeaderLines;

  constructor(
    text: string,
    start: number,
    headersStart: number,
    bodyStart: number,
    bodyEnd: number,
    headers: HeaderLines,
  ) {
    this.text = text;
    this.start = start;
    this.headersStart = headersStart;
    this.bodyStart = bodyStart;
    this.bodyEnd = bodyEnd;
    this.headers = headers;
  }

  /** The same with a copy of the headers. */
  copy(): Head {
    return new Head(
      this.text,
      this.start,
      this.headersStart,
      this.bodyStart,
      this.bodyEnd,
      this.headers.copy(),
    );
  }
}
