import { HeaderLine } from "./header-line.ts";
import { CALL_ID, CSEQ, FROM, RECORD_ROUTE, TO, VIA } from "./header-names.ts";

/**
 * The lines that a response takes over from its request as they came. `tag` is put on To when given.
 *
 * RFC 3261 §8.2.6.2, §12.1.1
 */
export function answerLines(
  received: readonly HeaderLine[],
  status: number,
  tag: string | undefined,
): HeaderLine[] {
  const lines: HeaderLine[] = [];
  // §12.1.1: what makes or keeps a dialog carries the Record-Route.
  const recordRoute = status > 100 && status < 300;
  for (let i = 0; i < received.length; i++) {
    const line = received[i] as HeaderLine;
    switch (line.id) {
      case TO:
        lines.push(tag === undefined ? line : withTag(line, tag));
        break;
      case VIA:
      case FROM:
      case CALL_ID:
      case CSEQ:
        lines.push(line);
        break;
      case RECORD_ROUTE:
        if (recordRoute) lines.push(line);
        break;
      default:
        break;
    }
  }
  return lines;
}

function withTag(line: HeaderLine, tag: string): HeaderLine {
  if (line.source !== line.text) return HeaderLine.of(line.name, `${line.value};tag=${tag}`);
  const { start, valueEnd } = line;
  const text = `${line.text.slice(start, valueEnd)};tag=${tag}\r\n`;
  return new HeaderLine(
    line.id,
    line.eightBit,
    text,
    0,
    text.length,
    line.valueStart - start,
    text.length - 2,
  );
}
