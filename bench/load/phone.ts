import { createHash } from "node:crypto";
import { DOMAIN, PASSWORD } from "../users.ts";
import { openWire, type Transport, type Wire } from "./wire.ts";

/** How long a registration may take, ms. */
const WITHIN = 5_000;

let ids = 0;

/** A phone that registers, by REGISTER, 401, REGISTER, 200; each time as the first time. */
export class Phone {
  readonly #user: string;
  readonly #transport: Transport;
  #wire: Wire | undefined;
  #cseq = 0;
  #answer: ((text: string) => void) | undefined;

  private constructor(user: string, transport: Transport) {
    this.#user = user;
    this.#transport = transport;
  }

  static async open(user: string, transport: Transport, port: number): Promise<Phone> {
    const phone = new Phone(user, transport);
    phone.#wire = await openWire(transport, port, (text) => phone.#answer?.(text));
    return phone;
  }

  close(): void {
    this.#wire?.close();
  }

  /** Whether a registration is under way. */
  get isBusy(): boolean {
    return this.#answer !== undefined;
  }

  /** Registers once; whether it was accepted. UDP's retransmissions are left out: what is lost has failed. */
  async register(): Promise<boolean> {
    const callId = `${process.pid}-${++ids}`;
    const challenged = await this.#ask(callId, "");
    const nonce = /nonce="([^"]+)"/.exec(challenged)?.[1];
    if (nonce === undefined) return false;
    return (await this.#ask(callId, this.#credentials(nonce))).startsWith("SIP/2.0 200 ");
  }

  #ask(callId: string, credentials: string): Promise<string> {
    const { local = "", send } = this.#wire ?? {};
    const transport = this.#transport.toUpperCase();
    this.#cseq += 1;
    const branch = `z9hG4bK${callId}-${this.#cseq}`;
    const user = this.#user;
    const request =
      `REGISTER sip:${DOMAIN} SIP/2.0\r\n` +
      `Via: SIP/2.0/${transport} ${local};branch=${branch};rport\r\n` +
      `Max-Forwards: 70\r\n` +
      `From: <sip:${user}@${DOMAIN}>;tag=${callId}\r\n` +
      `To: <sip:${user}@${DOMAIN}>\r\n` +
      `Call-ID: ${callId}\r\n` +
      `CSeq: ${this.#cseq} REGISTER\r\n` +
      `Contact: <sip:${user}@${local}>;expires=3600\r\n` +
      credentials +
      `User-Agent: Example Phone T46 66.86.0.15\r\n` +
      `Content-Length: 0\r\n\r\n`;
    return new Promise((resolve) => {
      const end = (text: string): void => {
        clearTimeout(timer);
        this.#answer = undefined;
        resolve(text);
      };
      const timer = setTimeout(() => end(""), WITHIN);
      this.#answer = (text) => {
        if (text.includes(branch)) end(text);
      };
      send?.(request);
    });
  }

  #credentials(nonce: string): string {
    const ha1 = md5(`${this.#user}:${DOMAIN}:${PASSWORD}`);
    const ha2 = md5(`REGISTER:sip:${DOMAIN}`);
    const response = md5(`${ha1}:${nonce}:00000001:0a4f113b:auth:${ha2}`);
    return (
      `Authorization: Digest username="${this.#user}", realm="${DOMAIN}", nonce="${nonce}", ` +
      `uri="sip:${DOMAIN}", response="${response}", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=00000001\r\n`
    );
  }
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
