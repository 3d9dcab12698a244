/** The headers that every request has, with what a test gets that leaves them out. RFC 3261 §8.1.1 */
const DEFAULTS: readonly (readonly [
  name: string,
  compact: string,
  value: (method: string) => string,
])[] = [
  ["Via", "v", () => "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKtest"],
  ["Max-Forwards", "", () => "70"],
  ["From", "f", () => "<sip:alice@example.com>;tag=alice"],
  ["To", "t", () => "<sip:bob@example.com>"],
  ["Call-ID", "i", () => "call@192.0.2.100"],
  ["CSeq", "", (method) => `1 ${method}`],
];

/**
 * A request's text with the mandatory headers that it lacks, so that a test writes only what it is about. Lines may end
 * in LF alone. A response is left as it is.
 */
export function completeRequest(text: string): string {
  const [head = "", ...body] = text.replace(/\r?\n/g, "\r\n").replace(/^\s+/, "").split("\r\n\r\n");
  const [startLine = "", ...lines] = head.split("\r\n").filter((line) => line !== "");
  if (startLine.startsWith("SIP/2.0 ")) return [head, ...body].join("\r\n\r\n");
  const method = startLine.split(" ", 1)[0] ?? "";
  const names = new Set(lines.map((line) => line.split(":", 1)[0]?.trim().toLowerCase()));
  const missing = DEFAULTS.filter(
    ([name, compact]) => !names.has(name.toLowerCase()) && !(compact !== "" && names.has(compact)),
  ).map(([name, , value]) => `${name}: ${value(method)}`);
  return `${[startLine, ...missing, ...lines].join("\r\n")}\r\n\r\n${body.join("\r\n\r\n")}`;
}
