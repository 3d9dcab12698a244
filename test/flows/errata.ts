/** Where an RFC's text is not what the RFCs ask for, or not what the rest of it says: what is printed, and what it should be. */
export type Erratum = readonly [printed: string, right: string];

/** RFC 3261 §17.1.1.3: the ACK to a response that isn't 2xx has the Routes of its INVITE. */
export const ackWithRoute: Erratum = [
  "Max-Forwards: 70",
  "Max-Forwards: 70\r\nRoute: <sip:ss1.atlanta.example.com;lr>",
];

/** RFC 3261 §8.2.6.2: the answer to a CANCEL has a To tag, too. */
export const cancelAnswered: Erratum = [
  "To: Bob <sip:bob@biloxi.example.com>",
  "To: Bob <sip:bob@biloxi.example.com>;tag=a-server's",
];

/**
 * What isn't compared of an ACK to a response that isn't 2xx: RFC 3665's Alice repeats her credentials in it. It is the
 * transaction's, and RFC 3261 §17.1.1.3 says what it has: no credentials.
 */
export const ackWithoutCredentials: readonly string[] = ["proxy-authorization"];
