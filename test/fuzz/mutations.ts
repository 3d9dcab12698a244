import fc from "fast-check";
import { corpus } from "./corpus.ts";

/** What breaks parsers, as wire strings. */
const HOSTILE: readonly string[] = [
  ...' \t\0\r\n,;="\\<>@:%*?&/[]{}()'.split(""),
  "\r\n",
  "\r\n ",
  "\r\n\r\n",
  ";;",
  "<>",
  '""',
  "%00",
  "%0d%0a",
  "%zz",
  "\xc3\xa9",
  "\xff",
  "\xef\xbb\xbf",
  "-1",
  "+5",
  "0x5",
  "1e9",
  "255",
  "256",
  "2147483647",
  "2147483648",
  "4294967295",
  "4294967296",
  "4294967328",
  "18446744073709551616",
  "9".repeat(300),
  "a".repeat(300),
  "a".repeat(9000),
  ";a=b".repeat(200),
  ",".repeat(500),
  "<".repeat(200),
  '"'.repeat(201),
  "\\".repeat(201),
  "(".repeat(100),
  " ".repeat(500),
  "sip:",
  "sips:a@b",
  "tel:+1",
  "sip:a@[::1]:5060",
  "sip:192.0.2.1",
  "sip:example.com",
  "sip:alice@example.com",
  "SIP/2.0",
  "SIP/3.0",
  "SIP/2.0/UDP",
  "z9hG4bK",
  "Digest",
  "255.255.255.255",
  "0.0.0.0",
  "[::1]",
  "[",
  "__proto__",
  "constructor",
  "tag=a",
  ";lr",
  ";transport=tcp",
  ";maddr=255.255.255.255",
  ";expires=0",
  ";q=2",
  "INVITE",
  "ACK",
  "CANCEL",
  "REGISTER",
];

const NAMES: readonly string[] = [
  ..."Via v From f To t Call-ID i CSeq Contact m Content-Length l Expires Max-Forwards".split(" "),
  ..."Route Record-Route Path Service-Route Authorization Proxy-Authorization Date".split(" "),
  ..."Require Proxy-Require Supported k Content-Type c Accept Allow Retry-After".split(" "),
  ..."WWW-Authenticate Proxy-Authenticate Unsupported Min-Expires Max-Breadth X-Other".split(" "),
];

/** One change of a message. The numbers choose a place, modulo what there is. */
export interface Mutation {
  readonly kind: (typeof KINDS)[number];
  readonly line: number;
  readonly at: number;
  readonly text: string;
  readonly other: string;
}

const KINDS = [
  "delete line",
  "repeat line",
  "swap lines",
  "insert line",
  "replace value",
  "replace token",
  "insert text",
  "insert parameter",
  "change case",
  "fold line",
  "line feeds",
  "truncate",
  "splice",
  "flip byte",
  "grow number",
  "append",
] as const;

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...KINDS),
  line: fc.nat(40),
  at: fc.nat(2000),
  text: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...HOSTILE) },
    fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...HOSTILE)).map((pair) => pair.join(": ")),
  ),
  other: fc.constantFrom(...corpus),
});

/** A message of a corpus with some changes, as a wire string. */
export function hostileMessage(from: readonly string[], most: number): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...from), fc.array(mutation, { maxLength: most, size: "max" }))
    .map(([wire, mutations]) => mutations.reduce(mutate, wire));
}

/** The message that a mutation makes of another. */
export function mutate(wire: string, { kind, line, at, text, other }: Mutation): string {
  const end = wire.indexOf("\r\n\r\n");
  const head = end < 0 ? wire : wire.slice(0, end);
  const rest = end < 0 ? "" : wire.slice(end);
  const lines = head.split("\r\n");
  const i = line % lines.length;
  const old = lines[i] ?? "";
  const place = at % (old.length + 1);
  const changed = (by: string): string => `${lines.with(i, by).join("\r\n")}${rest}`;
  switch (kind) {
    case "delete line":
      return `${lines.toSpliced(i, 1).join("\r\n")}${rest}`;
    case "repeat line":
      return `${lines.toSpliced(at % lines.length, 0, old).join("\r\n")}${rest}`;
    case "swap lines": {
      const j = at % lines.length;
      return `${lines
        .with(i, lines[j] ?? "")
        .with(j, old)
        .join("\r\n")}${rest}`;
    }
    case "insert line":
      return `${lines.toSpliced(i + 1, 0, text).join("\r\n")}${rest}`;
    case "replace value":
      return changed(`${old.slice(0, old.indexOf(":") + 1)} ${text}`);
    case "replace token":
      return changed(replaceToken(old, at, text));
    case "insert text":
      return changed(`${old.slice(0, place)}${text}${old.slice(place)}`);
    case "insert parameter":
      return changed(`${old};${text}=${text}`);
    case "change case":
      return changed(at % 2 === 0 ? old.toUpperCase() : old.toLowerCase());
    case "fold line":
      return changed(old.replaceAll(" ", at % 2 === 0 ? "\r\n " : "\n\t"));
    case "line feeds":
      return wire.replaceAll("\r\n", at % 2 === 0 ? "\n" : "\r");
    case "truncate":
      return wire.slice(0, at % (wire.length + 1));
    case "splice":
      return `${wire.slice(0, at % (wire.length + 1))}${other.slice(line * 7)}`;
    case "flip byte": {
      const n = at % Math.max(wire.length, 1);
      const code = ((wire.charCodeAt(n) || 0) ^ (1 << (line % 8))) & 0xff;
      return `${wire.slice(0, n)}${String.fromCharCode(code)}${wire.slice(n + 1)}`;
    }
    case "grow number":
      return changed(old.replace(/\d+/, (digits) => `${digits}${"0".repeat(at % 30)}`));
    case "append":
      return `${wire}${at % 2 === 0 ? other : text}`;
  }
}

function replaceToken(line: string, at: number, by: string): string {
  const tokens = line.split(/([\s,;:=<>"@?/]+)/);
  return tokens.with((2 * at) % (tokens.length + (tokens.length % 2)), by).join("");
}
