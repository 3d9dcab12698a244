import type { HeaderLine } from "./header-line.ts";
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
        lines.push(tag === undefined ? line : line.withWireValue(`${line.wireValue};tag=${tag}`));
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
