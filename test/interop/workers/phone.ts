import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { digest, type RawResponse } from "../raw-phone.ts";

// Written without sipkit, so that a fault of ours can't hide itself on both sides.

const HOST = "127.0.0.1";
const T1 = 500;
/** How long a request may wait for its answer, ms. */
const WITHIN = 20_000;

/** What a phone's messages go over. */
interface Wire {
  readonly local: string;
  send(text: string): void;
  close(): void;
}

interface Message {
  readonly start: string;
  readonly text: string;
  all(name: string): readonly string[];
  one(name: string): string;
}

/** A phone that registers, calls and is called, over UDP or TCP: plain text, and each request repeated as §17 has it. */
export class CallingPhone {
  readonly user: string;
  readonly protocol: "udp" | "tcp";
  /** How often each request is sent at once: more than once, and the repetitions must have no effect. */
  times = 1;
  /** The branches of the INVITEs that came, by the Call-ID of each. */
  readonly invited: Map<string, Set<string>> = new Map();
  /** The Call-IDs of the calls that came whose ACK came, too. */
  readonly acknowledged: Set<string> = new Set();
  readonly #port: number;
  #wire: Wire | undefined;
  #cseq = 0;
  readonly #waiting = new Map<string, (message: Message) => void>();
  /** Of each call that was answered: stops the repetition of the 200. */
  readonly #unacknowledged = new Map<string, () => void>();
  readonly #callId = randomBytes(8).toString("hex");

  constructor(user: string, protocol: "udp" | "tcp", port: number) {
    this.user = user;
    this.protocol = protocol;
    this.#port = port;
  }

  /** Opens its socket or connection; again after the connection was lost. */
  async open(): Promise<void> {
    const receive = (text: string): void => this.#receive(readMessage(text));
    this.#wire = await (this.protocol === "udp"
      ? openDatagrams(this.#port, receive)
      : openStream(this.#port, receive));
  }

  close(): void {
    this.#wire?.close();
  }

  /** Registers; the status at the end. */
  async register(): Promise<number> {
    const uri = "sip:example.com";
    const lines = [
      `From: <${this.#address}>;tag=${this.#callId}`,
      `To: <${this.#address}>`,
      `Call-ID: ${this.#callId}`,
      `Contact: <${this.#contact}>`,
      "Expires: 600",
    ];
    const answer = await this.#withCredentials("REGISTER", uri, lines);
    return answer.status;
  }

  /** Calls a user, and hangs up when she has answered and `talk` is over; the statuses of the INVITE and the BYE. */
  async call(to: string, talk?: () => Promise<unknown>): Promise<readonly [number, number]> {
    const uri = `sip:${to}@example.com`;
    const callId = randomBytes(8).toString("hex");
    const from = `From: <${this.#address}>;tag=${callId}`;
    const lines = [from, `To: <${uri}>`, `Call-ID: ${callId}`, `Contact: <${this.#contact}>`];
    const answer = await this.#withCredentials("INVITE", uri, lines);
    if (answer.status !== 200) return [answer.status, 0];
    const dialog = [
      from,
      `To: ${answer.one("To")}`,
      `Call-ID: ${callId}`,
      ...answer
        .all("Record-Route")
        .toReversed()
        .map((route) => `Route: ${route}`),
    ];
    const target = /<([^>]+)>/.exec(answer.one("Contact"))?.[1] ?? "";
    this.#send(this.#request("ACK", target, this.#cseq, dialog).text);
    await talk?.();
    const ended = await this.#ask("BYE", target, dialog);
    return [200, ended.status];
  }

  get #address(): string {
    return `sip:${this.user}@example.com`;
  }

  get #contact(): string {
    const transport = this.protocol === "udp" ? "" : ";transport=tcp";
    return `sip:${this.user}@${this.#wire?.local}${transport}`;
  }

  async #withCredentials(
    method: string,
    uri: string,
    lines: readonly string[],
  ): Promise<Message & RawResponse> {
    const challenged = await this.#ask(method, uri, lines);
    if (challenged.status !== 401 && challenged.status !== 407) return challenged;
    const who = { user: this.user, password: "secret", method, uri };
    const name = challenged.status === 401 ? "Authorization" : "Proxy-Authorization";
    return await this.#ask(method, uri, [...lines, `${name}: ${digest(challenged, who)}`]);
  }

  #request(
    method: string,
    uri: string,
    cseq: number,
    lines: readonly string[],
    branch = `z9hG4bK${randomBytes(8).toString("hex")}`,
  ): { readonly text: string; readonly branch: string } {
    const via = `Via: SIP/2.0/${this.protocol.toUpperCase()} ${this.#wire?.local};rport;branch=${branch}`;
    const more = [`CSeq: ${cseq} ${method}`, "Max-Forwards: 70", "Content-Length: 0", "", ""];
    return { branch, text: [`${method} ${uri} SIP/2.0`, via, ...lines, ...more].join("\r\n") };
  }

  /** Sends a request until it is answered, and gives its final response. */
  #ask(method: string, uri: string, lines: readonly string[]): Promise<Message & RawResponse> {
    this.#cseq += 1;
    const cseq = this.#cseq;
    const { text, branch } = this.#request(method, uri, cseq, lines);
    return new Promise((resolve, reject) => {
      const repeat = setInterval(() => {
        if (this.protocol === "udp") this.#send(text);
      }, T1);
      const over = (): void => {
        clearInterval(repeat);
        clearTimeout(giveUp);
        this.#waiting.delete(branch);
      };
      const giveUp = setTimeout(() => {
        over();
        reject(new Error(`no answer to ${this.user}'s:\n${text}`));
      }, WITHIN);
      this.#waiting.set(branch, (message) => {
        const status = Number(message.start.slice(8, 11));
        clearInterval(repeat);
        if (status < 200) return;
        over();
        // The ACK to a refusal belongs to the INVITE's transaction. RFC 3261 §17.1.1.3
        if (method === "INVITE" && status >= 300) {
          const ack = lines.map((line) =>
            line.startsWith("To: ") ? `To: ${message.one("To")}` : line,
          );
          this.#send(this.#request("ACK", uri, cseq, ack, branch).text);
        }
        resolve({ ...message, status });
      });
      for (let time = 0; time < this.times; time += 1) this.#send(text);
    });
  }

  #send(text: string): void {
    this.#wire?.send(text);
  }

  #receive(message: Message): void {
    if (message.start.startsWith("SIP/2.0 ")) {
      const branch = /branch=([^;,\s]+)/.exec(message.one("Via"))?.[1] ?? "";
      this.#waiting.get(branch)?.(message);
      return;
    }
    const method = message.start.split(" ")[0];
    const callId = message.one("Call-ID");
    if (method === "INVITE") this.#ring(message, callId);
    else if (method === "ACK") {
      this.acknowledged.add(callId);
      this.#unacknowledged.get(callId)?.();
    } else this.#answer(message);
  }

  /** Answers an INVITE, again and again until the ACK comes. RFC 3261 §13.3.1.4 */
  #ring(message: Message, callId: string): void {
    const branches = this.invited.get(callId) ?? new Set();
    this.invited.set(callId, branches.add(message.one("Via")));
    if (this.#unacknowledged.has(callId)) return;
    this.#answer(message);
    const repeat = setInterval(() => this.#answer(message), T1);
    const giveUp = setTimeout(() => clearInterval(repeat), WITHIN);
    this.#unacknowledged.set(callId, () => {
      clearInterval(repeat);
      clearTimeout(giveUp);
    });
  }

  #answer(message: Message): void {
    const copied = ["Via", "Record-Route", "From", "Call-ID", "CSeq"].flatMap((name) =>
      message.all(name).map((value) => `${name}: ${value}`),
    );
    const to = message.one("To");
    const tag = to.includes("tag=") ? "" : `;tag=${this.#callId}`;
    const own = [`To: ${to}${tag}`, `Contact: <${this.#contact}>`, "Content-Length: 0", "", ""];
    this.#send(["SIP/2.0 200 OK", ...copied, ...own].join("\r\n"));
  }
}

function readMessage(text: string): Message {
  const [start = ""] = text.split("\r\n", 1);
  const all = (name: string): readonly string[] =>
    [...text.matchAll(new RegExp(`^${name}: *(.*?)\\r?$`, "gim"))].map(([, value = ""]) => value);
  return { start, text, all, one: (name) => all(name)[0] ?? "" };
}

async function openDatagrams(port: number, receive: (text: string) => void): Promise<Wire> {
  const socket = createSocket("udp4").bind(0, HOST);
  await once(socket, "listening");
  socket.on("message", (bytes) => receive(bytes.toString("latin1")));
  return {
    local: `${HOST}:${socket.address().port}`,
    send: (text) => socket.send(text, port, HOST),
    close: () => socket.close(),
  };
}

async function openStream(port: number, receive: (text: string) => void): Promise<Wire> {
  const socket = connect({ host: HOST, port });
  await once(socket, "connect");
  let rest = "";
  socket.on("data", (chunk: Buffer) => {
    rest += chunk.toString("latin1");
    // Nobody sends a body here.
    for (let end = rest.indexOf("\r\n\r\n"); end >= 0; end = rest.indexOf("\r\n\r\n")) {
      receive(rest.slice(0, end + 4));
      rest = rest.slice(end + 4);
    }
  });
  socket.on("error", () => socket.destroy());
  return {
    local: `${HOST}:${socket.localPort}`,
    send: (text) => socket.write(text, "latin1"),
    close: () => socket.destroy(),
  };
}
