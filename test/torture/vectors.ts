import { readFileSync } from "node:fs";

/** A message of RFC 4475 and what the RFC says of it: an entry of `index.json`. */
export interface Vector {
  readonly name: string;
  readonly file: string;
  readonly section: string | null;
  readonly title: string;
  /** Whether it is one of the RFC's 49; the archive holds one more. */
  readonly scored: boolean;
  readonly kind: "request" | "response";
  /** Whether the RFC has an element take the message. */
  readonly parser: "accept" | "reject" | "either";
  /** What each role may do: a status, `"forward"`, `"reject"`, `"drop"`, `"process"`; `any` is every role. */
  readonly expect: Readonly<Record<string, readonly (number | string)[]>>;
}

const DIRECTORY = new URL("../vectors/rfc4475/", import.meta.url);

/** Every message of the archive. */
export const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("index.json", DIRECTORY), "utf8"),
).messages;

export function vectorOf(name: string): Vector {
  const vector = vectors.find((each) => each.name === name);
  if (vector === undefined) throw new Error(`there is no ${name}`);
  return vector;
}

/** The exact bytes. */
export function bytesOf({ file }: Vector): Buffer {
  return readFileSync(new URL(file, DIRECTORY));
}
