import { SipError } from "@sipkit/core";

/** What is needed of an answer of `fetch`. */
interface Readable {
  readonly body: AsyncIterable<Uint8Array> | null;
}

/**
 * The JSON of a body of at most so many bytes. Throws `SIP_CREDENTIALS_FAILED` for a longer one, and for what is no JSON,
 * without anything of it in the message.
 */
export async function readJson({ body }: Readable, longest: number): Promise<unknown> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    size += piece.length;
    if (size > longest) {
      throw new SipError("SIP_CREDENTIALS_FAILED", `an answer has more than ${longest} bytes`);
    }
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch {
    // The parser's own message quotes what it couldn't read.
    throw new SipError("SIP_CREDENTIALS_FAILED", "an answer is not JSON");
  }
}
