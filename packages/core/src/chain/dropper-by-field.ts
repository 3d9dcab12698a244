import type { Method } from "../message/method.ts";
import type { DropRule } from "./dropper.ts";
import type { Packet } from "./handler.ts";
import type { Server } from "./server.ts";

/**
 * What a header's value must be like: a text that it holds, in any case; an expression that matches; or a function that
 * says true.
 */
export type FieldPattern = string | RegExp | ((value: string) => boolean);

export interface ByFieldOptions {
  /** Only packets of these methods; of a response counts its CSeq method. Default: all. */
  readonly methods?: readonly Method[];
}

/**
 * Characters of a value that are looked at, and values of a header: strangers write them, and an expression of yours may
 * take a time that grows faster than its text.
 */
const MAX_TESTED = 1024;
const MAX_VALUES = 32;

/**
 * Drops packets by their headers: those of which any value of any named header matches its pattern. Of each header at
 * most 32 values are looked at, and of each value 1,024 characters.
 *
 * @example
 * byField({ "user-agent": /friendly-scanner/i, from: "sip:asterisk@" }, { methods: ["INVITE"] });
 */
export function byField(
  fields: Readonly<Record<string, FieldPattern>>,
  { methods }: ByFieldOptions = {},
): DropRule {
  const wanted = methods && new Set<Method>(methods);
  const tests = Object.entries(fields).map(([name, pattern]) => [name, matcher(pattern)] as const);
  let server: Server | undefined;
  return {
    start: (started) => {
      server = started;
    },
    drops: (packet) => {
      if (wanted !== undefined && !wanted.has(packet.method)) return false;
      if (!tests.some(([name, matches]) => hasMatch(packet, name, matches))) return false;
      server?.count("droppedByField");
      return true;
    },
  };
}

function hasMatch(packet: Packet, name: string, matches: (value: string) => boolean): boolean {
  if (!packet.headers.has(name)) return false;
  const values = packet.headers.getAll(name);
  const end = Math.min(values.length, MAX_VALUES);
  for (let index = 0; index < end; index += 1) {
    if (matches((values[index] ?? "").slice(0, MAX_TESTED))) return true;
  }
  return false;
}

function matcher(pattern: FieldPattern): (value: string) => boolean {
  if (typeof pattern === "function") return pattern;
  if (typeof pattern === "string") {
    const text = pattern.toLowerCase();
    return (value) => value.toLowerCase().includes(text);
  }
  // With the flags g and y an expression remembers where the last value matched.
  const stateless = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
  return (value) => stateless.test(value);
}
