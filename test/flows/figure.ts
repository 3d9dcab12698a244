/** A line of a call flow: who sends what to whom. */
export interface Step {
  /** As the RFC numbers it: `F1`. */
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** A method or a status. */
  readonly what: string;
  /** Whether the flow is the same without it. */
  readonly isOptional: boolean;
}

const LINE = /^(F\d+) +(.+?) +-> +(.+?): (\()?(\w+)\)?$/;

/**
 * Reads a figure: a line for each message, as `F1 Alice -> Proxy 1: INVITE`, in the RFC's order. What is optional is in
 * parentheses, as in the RFC.
 */
export function parseFigure(text: string): readonly Step[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [, name, from, to, bracket, what] = LINE.exec(line.trim()) ?? [];
      if (!name || !from || !to || !what) throw new Error(`that is no line of a figure: ${line}`);
      return { name, from, to, what, isOptional: bracket !== undefined };
    });
}

/** The messages between each pair of neighbours, in order: `Alice, Proxy 1` has `> INVITE`, `< 407` … */
export function byLink(
  messages: readonly Pick<Step, "from" | "to" | "what">[],
): Readonly<Record<string, readonly string[]>> {
  const links: Record<string, string[]> = {};
  for (const message of messages) {
    const { from, to, what } = message;
    const link = linkOf(message);
    links[link] = [...(links[link] ?? []), `${from} -> ${to}: ${what}`];
  }
  return links;
}

/** The pair that a message goes between, whichever way. */
export function linkOf({ from, to }: { readonly from: string; readonly to: string }): string {
  return [from, to].toSorted().join(", ");
}
