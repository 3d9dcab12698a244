import { credentialsLine, nonceIn, registerText } from "./register-text.ts";
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
    const nonce = nonceIn(challenged);
    if (nonce === undefined) return false;
    return (await this.#ask(callId, credentialsLine(this.#user, nonce))).startsWith("SIP/2.0 200 ");
  }

  #ask(callId: string, credentials: string): Promise<string> {
    const { local = "", send } = this.#wire ?? {};
    const transport = this.#transport.toUpperCase();
    this.#cseq += 1;
    const branch = `z9hG4bK${callId}-${this.#cseq}`;
    const cseq = this.#cseq;
    const parts = { user: this.#user, transport, local, callId, cseq, branch, credentials };
    const request = registerText(parts);
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
}
