/** The request line of `optionsText`. */
export const START = "OPTIONS sip:bob@example.com SIP/2.0";
/** Its headers. */
export const HEADERS: Readonly<Record<string, string>> = {
  Via: "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport",
  From: '"Alice" <sip:alice@example.com>;tag=1',
  To: "<sip:bob@example.com>",
  "Call-ID": "a84b4c76e66710@192.0.2.1",
  CSeq: "63104 OPTIONS",
};

/** An OPTIONS with some lines changed, as a peer sends it; `undefined` leaves a header out. */
export function optionsText(
  change: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  start: string = START,
  body = "",
): string {
  const lines = Object.entries({ ...HEADERS, ...change }).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((each) => `${name}: ${each}`),
  );
  return `${[start, ...lines].join("\r\n")}\r\n\r\n${body}`;
}
