import { createHash } from "node:crypto";
import { DOMAIN, PASSWORD } from "../users.ts";

/** What a phone's REGISTER is made of. */
export interface RegisterParts {
  readonly user: string;
  /** As in Via. */
  readonly transport: string;
  /** Where the phone is: `address:port`. */
  readonly local: string;
  readonly callId: string;
  readonly cseq: number;
  readonly branch: string;
  /** A header line with its end, or nothing. */
  readonly credentials: string;
}

/** A phone's REGISTER. */
export function registerText(parts: RegisterParts): string {
  const { user, transport, local, callId, cseq, branch, credentials } = parts;
  return (
    `REGISTER sip:${DOMAIN} SIP/2.0\r\n` +
    `Via: SIP/2.0/${transport} ${local};branch=${branch};rport\r\n` +
    `Max-Forwards: 70\r\n` +
    `From: <sip:${user}@${DOMAIN}>;tag=${callId}\r\n` +
    `To: <sip:${user}@${DOMAIN}>\r\n` +
    `Call-ID: ${callId}\r\n` +
    `CSeq: ${cseq} REGISTER\r\n` +
    `Contact: <sip:${user}@${local}>;expires=3600\r\n` +
    credentials +
    `User-Agent: Example Phone T46 66.86.0.15\r\n` +
    `Content-Length: 0\r\n\r\n`
  );
}

/** The nonce of a challenge. */
export function nonceIn(text: string): string | undefined {
  return /nonce="([^"]+)"/.exec(text)?.[1];
}

/** The header line that answers a challenge. */
export function credentialsLine(user: string, nonce: string): string {
  const ha1 = md5(`${user}:${DOMAIN}:${PASSWORD}`);
  const ha2 = md5(`REGISTER:sip:${DOMAIN}`);
  const response = md5(`${ha1}:${nonce}:00000001:0a4f113b:auth:${ha2}`);
  return (
    `Authorization: Digest username="${user}", realm="${DOMAIN}", nonce="${nonce}", ` +
    `uri="sip:${DOMAIN}", response="${response}", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=00000001\r\n`
  );
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
