/** Headers that handlers read. */
const NAMES: readonly string[] = [
  "Accept",
  "Alert-Info",
  "Allow",
  "Authorization",
  "Call-ID",
  "Call-Info",
  "Contact",
  "Content-Type",
  "CSeq",
  "Date",
  "Event",
  "Expires",
  "From",
  "Max-Forwards",
  "Min-Expires",
  "P-Asserted-Identity",
  "Path",
  "Proxy-Authorization",
  "Proxy-Require",
  "Record-Route",
  "Refer-To",
  "Reply-To",
  "Require",
  "Retry-After",
  "Route",
  "Session-Expires",
  "Subject",
  "Subscription-State",
  "Supported",
  "To",
  "User-Agent",
  "Via",
];

/** As much as a header line may hold. */
const ROOM = 8000;

/** `part` again and again, until a line is full. */
function full(part: string): string {
  return part.repeat(Math.floor(ROOM / part.length));
}

/** Values that strangers send; as wire strings, one character a byte. */
const VALUES: readonly string[] = [
  "",
  " ",
  ",",
  ";",
  "*",
  "<",
  ">",
  '"',
  "%",
  "%00",
  "%zz",
  "\x00",
  "\x01\x07\x1b[2J\x7f",
  "\xff\xfe\xc3",
  "\xc0\xaf\xed\xa0\x80",
  "\u00e2\u0080\u00ae\u00f0\u009f\u0098\u0080",
  "__proto__",
  "constructor",
  "NaN",
  "-1",
  "1e9",
  "99999999999999999999",
  "4294967296",
  '"no end',
  '"no end\\',
  "<sip:no-end@example.com",
  "<sip:bob@example.com>>",
  "<sip:@example.com>",
  "<sip:bob@[::1>",
  "<sip:bob@example.com:99999>",
  "<urn:service:sos>",
  "<tel:+15551234>",
  "<sip:bob@example.com;lr;lr;lr=\x00>",
  "sip:bob@example.com;tag=1;tag=2",
  "sip:%00%ff@example.com;tag=%",
  '"\\\x00\\"" <sip:bob@example.com>;tag="',
  'a/b;c="d',
  'Digest username="a", realm="b", nonce="c", uri="d", response="e',
  'Digest username="\\", realm=, ===, nonce',
  "Basic \xff",
  "SIP/2.0/UDP ;branch=z9hG4bK",
  "SIP/2.0/UDP [::1]:99999;rport=x;received=\x00",
  "1 INVITE BYE",
  "4294967296 INVITE",
  full("a"),
  full("<"),
  full('"'),
  full("\\"),
  full(","),
  full(";a"),
  full(";a=b"),
  full(';a="b"'),
  full("<sip:a@b>,"),
  full("("),
  full("%41"),
  full(" \t"),
];

/** Lines to put into a request, each as a stranger would. */
export function hostileLines(): readonly string[] {
  const lines = NAMES.flatMap((name) => VALUES.map((value) => `${name}: ${value}`));
  // One header again and again, and one of every name that there is.
  lines.push(...NAMES.map((name) => Array.from({ length: 200 }, () => `${name}: x`).join("\r\n")));
  return lines;
}
