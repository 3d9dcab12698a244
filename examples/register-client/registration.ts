import { authorize, type ClientCredentials } from "@sipkit/auth";
import { contact, cseq, Request, type Response, type Server, type Timer } from "@sipkit/core";

export interface RegistrationOptions {
  readonly server: Server;
  /** As `sip:alice@example.com`. */
  readonly addressOfRecord: string;
  readonly credentials: ClientCredentials;
  /** Where REGISTER is sent: a SIP URI. */
  readonly registrar: string;
  /** Seconds to ask for. */
  readonly expires: number;
  readonly log: (line: string) => void;
}

const RETRY_SECONDS = 30;

/** Keeps one contact registered: registers, answers challenges, and refreshes in good time. RFC 3261 §10.2 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #contact: string;
  #request: Request;
  #timer: Timer | undefined;
  #refreshing: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: RegistrationOptions) {
    this.#options = options;
    const { server, addressOfRecord, expires } = options;
    const [leg] = server.legs;
    const user = addressOfRecord.slice(addressOfRecord.indexOf(":") + 1).split("@")[0];
    this.#contact = `<sip:${user}@${leg?.sentBy};transport=${leg?.protocol}>`;
    const [, domain] = addressOfRecord.split("@");
    this.#request = new Request("REGISTER", `sip:${domain}`, {
      headers: {
        "Max-Forwards": "70",
        From: `<${addressOfRecord}>;tag=${server.random.token()}`,
        To: `<${addressOfRecord}>`,
        "Call-ID": server.random.token(),
        CSeq: "0 REGISTER",
        Contact: `${this.#contact};expires=${expires}`,
      },
    });
  }

  /** Registers, and goes on doing so until `stop`. */
  keep(): Promise<void> {
    this.#refreshing = this.#refresh();
    return this.#refreshing;
  }

  /** Takes the contact back. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#refreshing;
    await this.#register(0);
    this.#options.log(`${this.#options.addressOfRecord} is not registered any more`);
  }

  async #refresh(): Promise<void> {
    const { log, server, addressOfRecord } = this.#options;
    const granted = await this.#register(this.#options.expires).catch((error: Error) => {
      log(`${addressOfRecord} is not registered: ${error.message}`);
      return undefined;
    });
    if (granted !== undefined) log(`${addressOfRecord} is registered for ${granted} s`);
    if (this.#isStopped) return;
    const seconds = granted === undefined ? RETRY_SECONDS : granted / 2;
    this.#timer = server.clock.setTimer(seconds * 1000, () => void this.keep());
  }

  /** Gives the seconds that the registrar granted. A challenge is answered by the request with credentials in it. */
  async #register(expires: number): Promise<number> {
    const { server, credentials, registrar } = this.#options;
    const request = this.#request.clone();
    request.headers.write(cseq, { number: this.#request.cseq.number + 1, method: "REGISTER" });
    request.headers.set("Contact", `${this.#contact};expires=${expires}`);
    this.#request = request;
    let response: Response;
    do response = await server.request(request, { to: registrar }).final;
    while (await authorize(request, response, credentials));
    if (response.status >= 300) throw new Error(`${response.status} ${response.reason}`);
    const own = response.headers
      .readAll(contact)
      .find((value) => value !== "*" && this.#contact.includes(value.uri));
    return own === undefined || own === "*" ? 0 : Number(own.params.get("expires"));
  }
}
