import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const VECTORS = new URL("../vectors/", import.meta.url).pathname;

function messagesIn(folder: string): readonly string[] {
  const names = readdirSync(join(VECTORS, folder)).toSorted();
  return names
    .filter((name) => /\.(dat|sip)$/.test(name))
    .map((name) => readFileSync(join(VECTORS, folder, name), "latin1"));
}

/** Requests to the domain of the server that is fuzzed, so that every handler has something to do. */
export const ours: readonly string[] = [
  ["REGISTER", "sip:example.com", "<sip:alice@example.com>", "Contact: <sip:alice@192.0.2.50>"],
  ["REGISTER", "sip:example.com", "<sip:alice@example.com>", "Contact: *\r\nExpires: 0"],
  ["INVITE", "sip:alice@example.com", "<sip:alice@example.com>", "Contact: <sip:bob@192.0.2.60>"],
  ["CANCEL", "sip:alice@example.com", "<sip:alice@example.com>", "Subject: enough"],
  ["ACK", "sip:alice@example.com", "<sip:alice@example.com>;tag=b", "Route: <sip:192.0.2.1;lr>"],
  ["BYE", "sip:alice@192.0.2.50", "<sip:alice@example.com>;tag=b", "Route: <sip:192.0.2.1;lr>"],
  ["MESSAGE", "sip:alice@example.com", "<sip:alice@example.com>", "Content-Type: text/plain"],
  ["OPTIONS", "sip:example.com", "<sip:example.com>", "Accept: application/sdp"],
].map(([method = "", uri, to, line]) =>
  [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.60;branch=z9hG4bK${method === "CANCEL" ? "INVITE" : method};rport`,
    "Max-Forwards: 70",
    "From: <sip:alice@example.com>;tag=a",
    `To: ${to}`,
    `Call-ID: ${method === "REGISTER" ? "register" : "call"}`,
    `CSeq: 1 ${method}`,
    line,
    'Authorization: Digest username="alice", realm="example.com", nonce="x", uri="sip:example.com", response="0"',
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n"),
);

/** Every message that mutations begin with, as wire strings. */
export const corpus: readonly string[] = [
  ...ours,
  ...messagesIn("rfc4475"),
  ...messagesIn("flows/rfc3261"),
  ...messagesIn("flows/rfc3665"),
];
