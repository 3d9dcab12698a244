import type { Head } from "./head.ts";
import { HeaderLine } from "./header-line.ts";
import { CONTENT_LENGTH } from "./header-names.ts";
import { latin1 } from "./wire.ts";

/**
 * The wire string of a message. What nobody touched is cut out of the text it came in, as few cuts as possible.
 *
 * @param startLine the new start line with its line end; `undefined` when it wasn't touched
 * @param body the new body; `undefined` when it wasn't touched
 */
export function writeMessage(
  head: Head,
  startLine: string | undefined,
  body: Uint8Array | undefined,
): string {
  const { text, headers } = head;
  const untouched = startLine === undefined && body === undefined && !headers.changed;
  if (untouched) return text.slice(head.start, head.bodyEnd);
  const length = body === undefined ? head.bodyEnd - head.bodyStart : body.length;
  let wire = startLine ?? "";
  // A run: neighbouring lines of one text.
  let runText = startLine === undefined ? text : "";
  let runStart = startLine === undefined ? head.start : 0;
  let runEnd = startLine === undefined ? head.headersStart : 0;
  let counted = false;
  for (const each of headers.lines) {
    let line = each;
    if (line.id === CONTENT_LENGTH) {
      if (counted) continue;
      counted = true;
      if (!saysLength(line, length)) line = HeaderLine.of(line.name, String(length));
    }
    if (line.text === runText && line.start === runEnd) runEnd = line.end;
    else {
      if (runEnd > runStart) wire += runText.slice(runStart, runEnd);
      runText = line.text;
      runStart = line.start;
      runEnd = line.end;
    }
  }
  if (runEnd > runStart) wire += runText.slice(runStart, runEnd);
  if (!counted) wire += `Content-Length: ${length}\r\n`;
  wire += "\r\n";
  if (length === 0) return wire;
  return wire + (body === undefined ? text.slice(head.bodyStart, head.bodyEnd) : latin1(body));
}

function saysLength(line: HeaderLine, length: number): boolean {
  return line.wireValue === String(length) || Number(line.wireValue) === length;
}
