/** Header lines by name; `undefined` leaves one out, a list repeats it. */
export type Lines = Readonly<Record<string, string | readonly string[] | undefined>>;

let made = 0;

/**
 * A request as a wire string, one of a new transaction and a new call. Its other headers are what a phone of alice's sends,
 * unless `lines` says otherwise; what is bad goes to the wire as it is.
 */
export function message(start: string, lines: Lines = {}, body = ""): string {
  made += 1;
  const [method = ""] = start.split(" ");
  const all: Lines = {
    Via: `SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${made}`,
    "Max-Forwards": "70",
    From: "<sip:alice@example.com>;tag=1",
    To: method === "REGISTER" ? "<sip:alice@example.com>" : "<sip:bob@example.com>",
    "Call-ID": `call-${made}`,
    CSeq: `${made} ${method}`,
    "Content-Length": String(body.length),
    ...lines,
  };
  const written = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each) => `${name}: ${each}`),
  );
  return `${[`${start} SIP/2.0`, ...written].join("\r\n")}\r\n\r\n${body}`;
}

/** A message with raw lines before its body: what no list of headers could say. */
export function withRaw(wire: string, raw: string): string {
  return wire.replace("\r\n\r\n", `\r\n${raw}\r\n\r\n`);
}

export const REGISTER = "REGISTER sip:example.com";

/** A user's name as the user part of a URI writes it. */
export function userPart(name: string): string {
  return name.replace(
    /[^\w.-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
