import { completeRequest } from "../complete.ts";

const METHODS: readonly string[] = [
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "REGISTER",
  "OPTIONS",
  "PRACK",
  "SUBSCRIBE",
  "NOTIFY",
  "PUBLISH",
  "INFO",
  "REFER",
  "MESSAGE",
  "UPDATE",
  "SIPKIT-NOBODYS-METHOD",
];

const URIS: readonly string[] = [
  "sip:example.com",
  "sip:bob@example.com",
  "sip:bob@example.net",
  "sips:bob@example.com",
  "tel:+15551234",
];

/** Requests of every kind that a server gets. */
export function everyKind(): readonly string[] {
  return METHODS.flatMap((method) =>
    URIS.flatMap((uri) => [
      `${method} ${uri} SIP/2.0`,
      `${method} ${uri} SIP/2.0\nTo: <sip:bob@example.com>;tag=b`,
    ]),
  );
}

/** Responses that answer nothing that was sent. */
export function strayResponses(): readonly string[] {
  return [100, 180, 200, 302, 401, 486, 603].map((status) =>
    [
      `SIP/2.0 ${status} Stray`,
      "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKstray",
      "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKother",
      "From: <sip:alice@example.com>;tag=a",
      "To: <sip:bob@example.com>;tag=b",
      "Call-ID: stray",
      "CSeq: 1 INVITE",
      "Contact: <sip:bob@192.0.2.7>",
      "Content-Length: 0",
      "\r\n",
    ].join("\r\n"),
  );
}

/** Makes requests out of texts, none of which is another's retransmission. */
export class Numbered {
  #last = 0;

  /**
   * A request's wire string: complete, and a transaction and a call of its own where the text leaves that open. `lines`
   * are put in as they are, and stand for the headers that they name.
   */
  wire(text: string, lines?: string): string {
    this.#last += 1;
    const [startLine = "", ...rest] = text.trim().split(/\r?\n/);
    const given = lines === undefined ? rest : [...lines.split("\r\n"), ...rest];
    const has = (name: RegExp): boolean => given.some((line) => name.test(line));
    const via = `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKsuite${this.#last}`;
    const own = [
      ...(has(/^(?:via|v)\s*:/i) ? [] : [via]),
      ...(has(/^(?:call-id|i)\s*:/i) ? [] : [`Call-ID: suite-${this.#last}`]),
    ];
    return completeRequest([startLine, ...own, ...given].join("\r\n"));
  }
}
