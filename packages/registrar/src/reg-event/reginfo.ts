import { xmlAttributes, xmlText } from "./xml-text.ts";

/** The type of what {@link writeRegInfo} writes. RFC 3680 §8.2 */
export const REGINFO = "application/reginfo+xml";

/** What brought a contact into its state. RFC 3680 §4.7.1 */
export type ContactEventName =
  | "registered"
  | "created"
  | "refreshed"
  | "expired"
  | "deactivated"
  | "unregistered";

/** A contact as a document has it. RFC 3680 §5.1 */
export interface ContactInfo {
  readonly id: string;
  readonly uri: string;
  readonly state: "active" | "terminated";
  readonly event: ContactEventName;
  /** Seconds until it ends. */
  readonly expires: number | undefined;
  /** For how many seconds it has been there. */
  readonly duration: number | undefined;
  readonly q: number;
  readonly callId: string | undefined;
  readonly cseq: number | undefined;
  /** The Contact's parameters that RFC 3261 doesn't know, with their values as a header has them. */
  readonly unknownParams: readonly (readonly [name: string, value: string])[];
  readonly publicGruu: string | undefined;
  readonly temporaryGruu: string | undefined;
}

/** What one document tells of one address-of-record. */
export interface RegInfo {
  readonly version: number;
  /** `"full"`: these are all contacts; `"partial"`: those that have changed. */
  readonly state: "full" | "partial";
  /** As a URI. */
  readonly addressOfRecord: string;
  readonly id: string;
  readonly registration: "init" | "active" | "terminated";
  readonly contacts: readonly ContactInfo[];
}

/** A document, and for how many contacts it had no room. */
export interface WrittenRegInfo {
  readonly body: string;
  readonly leftOut: number;
}

/** Closes what {@link opening} opens. */
const CLOSING = "</registration>\n</reginfo>\n";

/**
 * Writes a document of at most `maxBytes`, the frame apart: for a contact that has no room with all its parameters they
 * are left out, and then the contact.
 *
 * RFC 3680 §5, RFC 5628 §5
 */
export function writeRegInfo(info: RegInfo, maxBytes: number): WrittenRegInfo {
  let body = opening(info);
  let room = maxBytes - Buffer.byteLength(body) - CLOSING.length;
  let leftOut = 0;
  for (const contact of info.contacts) {
    const written = [contact, { ...contact, unknownParams: [] }]
      .map(element)
      .find((text) => Buffer.byteLength(text) <= room);
    if (written === undefined) leftOut += 1;
    else {
      body += written;
      room -= Buffer.byteLength(written);
    }
  }
  return { body: body + CLOSING, leftOut };
}

function opening({ version, state, addressOfRecord, id, registration }: RegInfo): string {
  const namespaces =
    'xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo"';
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    `<reginfo ${namespaces}${xmlAttributes({ version, state })}>\n`,
    `<registration${xmlAttributes({ aor: addressOfRecord, id, state: registration })}>\n`,
  ].join("");
}

function element(contact: ContactInfo): string {
  const { id, uri, state, event, callId, cseq, expires, duration, q, unknownParams } = contact;
  const attributes = xmlAttributes({
    id,
    state,
    event,
    "duration-registered": duration,
    expires,
    q: String(q),
    callid: callId,
    cseq,
  });
  const params = unknownParams.map(
    ([name, value]) =>
      `<unknown-param${xmlAttributes({ name })}>${xmlText(value)}</unknown-param>\n`,
  );
  const children = [`<uri>${xmlText(uri)}</uri>\n`, ...params, gruus(contact)].join("");
  return `<contact${attributes}>\n${children}</contact>\n`;
}

function gruus({ publicGruu, temporaryGruu }: ContactInfo): string {
  const lasting =
    publicGruu === undefined ? "" : `<gr:pub-gruu${xmlAttributes({ uri: publicGruu })}/>\n`;
  if (temporaryGruu === undefined) return lasting;
  // Deviation: `first-cseq` names the REGISTER that the oldest temporary GRUU came with, and nothing is kept of any. Of
  // one Call-ID they all stay valid; 0 has the device drop none of them, and those of another it drops by `callid`.
  return `${lasting}<gr:temp-gruu${xmlAttributes({ uri: temporaryGruu, "first-cseq": 0 })}/>\n`;
}
