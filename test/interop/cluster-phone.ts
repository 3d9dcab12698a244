import { randomUUID } from "node:crypto";
import { Callee } from "./cluster-callee.ts";
import {
  asRoutes,
  inTime,
  type Message,
  newBranch,
  type Outgoing,
  readMessage,
  recordRoutesOf,
  uriOf,
} from "./cluster-message.ts";
import { openWire, type Place, type Wire } from "./cluster-wire.ts";
import { digest } from "./raw-phone.ts";

// Written without sipkit, so that a fault of ours can't hide itself on both sides.

interface Settle {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Pending {
  readonly outgoing: Outgoing;
  readonly provisional: number[];
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

/** A call that is up. */
export interface Dialog {
  /** The provisional answers that came. */
  readonly provisional: readonly number[];
  readonly hangUp: () => Promise<void>;
  /** Settles when the other one has hung up. */
  readonly hungUp: Promise<void>;
}

/** How a phone registers. */
interface RegisterOptions {
  /** How often a challenge is answered. Default: 1. */
  readonly rounds?: number;
  /** The credentials to begin with. Default: none. */
  readonly authorization?: string;
  /** The number of the phone's flow, where it has several, up to 9; a higher one is preferred. RFC 5626 §4.2 */
  readonly regId?: number;
}

/** A phone over TCP or UDP that registers with one node at a time, answers calls, and makes them. */
export class ClusterPhone {
  readonly user: string;
  readonly callId: string = randomUUID();
  /** The same for all phones of a user: whoever moves or starts again is the same device. */
  readonly instance: string;
  /** CSeq of the last REGISTER that was answered 200. */
  acknowledged = 0;
  readonly #protocol: Wire["protocol"];
  #wire: Wire | undefined;
  #cseq = 0;
  readonly #pending = new Map<string, Pending>();
  /** Who waits for the other side to hang up, by Call-ID. */
  readonly #hangUps = new Map<string, Settle>();

  readonly #callee = new Callee({
    contact: () => this.contact,
    write: (text) => this.#wire?.send(text),
    send: (outgoing) => this.send(outgoing),
    hungUp: (callId) => {
      this.#hangUps.get(callId)?.resolve();
      this.#hangUps.delete(callId);
    },
  });

  constructor(user: string, protocol: Wire["protocol"]) {
    this.user = user;
    this.instance = `<urn:x-phone:${user}>`;
    this.#protocol = protocol;
  }

  /** Opens a connection to a node, or a socket, in the place of the one before. */
  async connect(place: Place): Promise<void> {
    this.close();
    this.#wire = await openWire(this.#protocol, place, {
      message: (text) => this.#take(readMessage(text)),
      lost: () => {
        this.#fail("the connection was lost");
        this.#wire = undefined;
      },
    });
  }

  close(): void {
    this.#callee.close();
    this.#wire?.close();
    this.#wire = undefined;
    this.#fail("the phone was moved");
  }

  /** Lets go of the calls that it waits for, as whoever dials again. */
  giveUp(): void {
    const error = new Error("given up");
    for (const { outgoing, reject } of this.#pending.values()) {
      if (outgoing.method !== "REGISTER") reject(error);
    }
    for (const { reject } of this.#hangUps.values()) reject(error);
    this.#hangUps.clear();
  }

  /** How many ACKs came to 200s of ours. */
  get acks(): number {
    return this.#callee.acks;
  }

  get isConnected(): boolean {
    return this.#wire !== undefined;
  }

  get contact(): string {
    const transport = this.#protocol === "tcp" ? ";transport=tcp" : "";
    return `<sip:${this.user}@${this.#wire?.address}${transport}>`;
  }

  /** Registers, and answers a challenge. Gives all answers. */
  async register(options: RegisterOptions = {}): Promise<readonly Message[]> {
    const { rounds = 1, authorization: credentials = "", regId } = options;
    const contact = `${this.contact};+sip.instance="${this.instance}"`;
    const answers: Message[] = [];
    let authorization = credentials;
    for (let round = 0; round <= rounds; round += 1) {
      this.#cseq += 1;
      const cseq = this.#cseq;
      const me = `<sip:${this.user}@example.com>`;
      const answer = await this.send({
        method: "REGISTER",
        uri: "sip:example.com",
        from: `${me};tag=${this.callId.slice(0, 8)}`,
        to: me,
        callId: this.callId,
        cseq,
        lines: [
          `Contact: ${contact}${regId === undefined ? "" : `;reg-id=${regId};q=0.${regId}`}`,
          ...(regId === undefined ? [] : ["Supported: outbound, path"]),
          "Expires: 300",
          ...(authorization === "" ? [] : [`Authorization: ${authorization}`]),
        ],
      });
      answers.push(answer);
      if (answer.status === 200) this.acknowledged = cseq;
      if (answer.status !== 401) break;
      authorization = digest(answer, { user: this.user, password: "secret" });
    }
    return answers;
  }

  /** Calls somebody, and hangs up, or has the other one do so. Gives the provisional answers that came. */
  async call(user: string, whoHangsUp: "caller" | "callee" = "caller"): Promise<readonly number[]> {
    const { provisional, hangUp, hungUp } = await this.dial(user, whoHangsUp);
    await (whoHangsUp === "caller" ? hangUp() : inTime(hungUp, "nobody hung up"));
    return provisional;
  }

  /** Calls somebody, and waits until the call is answered. Fails with what was answered else. */
  async dial(user: string, whoHangsUp: "caller" | "callee" = "caller"): Promise<Dialog> {
    const uri = `sip:${user}@example.com`;
    const callId = randomUUID();
    const from = `<sip:${this.user}@example.com>;tag=${callId.slice(0, 8)}`;
    const lines = [`Contact: ${this.contact}`, `Subject: ${whoHangsUp} hangs up`];
    const invite = { method: "INVITE", uri, from, to: `<${uri}>`, callId, lines };
    const challenge = await this.send({ ...invite, cseq: 1 });
    if (challenge.status !== 407) throw new Error(`no challenge: ${challenge.text}`);
    const who = { user: this.user, password: "secret", method: "INVITE", uri };
    const credentials = `Proxy-Authorization: ${digest(challenge, who)}`;
    const provisional: number[] = [];
    const hungUp = new Promise<void>((resolve, reject) => {
      this.#hangUps.set(callId, { resolve, reject });
    });
    hungUp.catch(() => {});
    const again = { ...invite, cseq: 2, lines: [...lines, credentials] };
    const answer = await this.send(again, provisional);
    if (answer.status !== 200) throw new Error(`${user} isn't there: ${answer.text}`);
    const dialog = {
      uri: uriOf(answer.one("Contact")),
      from,
      to: answer.one("To"),
      callId,
      lines: asRoutes(recordRoutesOf(answer).toReversed()),
    };
    this.#write({ ...dialog, method: "ACK", cseq: 2 }, newBranch());
    const hangUp = async (): Promise<void> => {
      const bye = await this.send({ ...dialog, method: "BYE", cseq: 3 });
      if (bye.status !== 200) throw new Error(`hanging up failed: ${bye.text}`);
    };
    return { provisional, hangUp, hungUp };
  }

  /** Sends a request and gives its final answer; over UDP it is repeated until one comes. */
  send(outgoing: Outgoing, provisional: number[] = []): Promise<Message> {
    const branch = newBranch();
    const answer = new Promise<Message>((resolve, reject) => {
      this.#pending.set(branch, { outgoing, provisional, resolve, reject });
    });
    this.#write(outgoing, branch);
    const repeat =
      this.#protocol === "udp" &&
      setInterval(() => {
        if (provisional.length === 0) this.#write(outgoing, branch);
      }, 500);
    return inTime(answer, `no answer to ${outgoing.method} ${outgoing.uri}`).finally(() => {
      if (repeat) clearInterval(repeat);
      this.#pending.delete(branch);
    });
  }

  #write(outgoing: Outgoing, branch: string): void {
    const { method, uri, from, to, callId, cseq, lines = [] } = outgoing;
    const wire = this.#wire;
    if (wire === undefined) {
      this.#pending.get(branch)?.reject(new Error("no connection"));
      return;
    }
    const all = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${wire.protocol.toUpperCase()} ${wire.address};branch=${branch};rport`,
      "Max-Forwards: 70",
      `From: ${from}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} ${method}`,
      ...lines,
    ];
    wire.send([...all, "Content-Length: 0", "", ""].join("\r\n"));
  }

  #fail(why: string): void {
    for (const { reject } of this.#pending.values()) reject(new Error(why));
    this.#pending.clear();
  }

  #take(message: Message): void {
    if (message.method !== "") this.#callee.serve(message);
    else this.#answerCame(message);
  }

  #answerCame(message: Message): void {
    const via = message.one("Via");
    const branch = /branch=([^;,\s]+)/.exec(via)?.[1] ?? "";
    const pending = this.#pending.get(branch);
    if (pending === undefined) return;
    if (message.status < 200) {
      pending.provisional.push(message.status);
      return;
    }
    // §17.1.1.3: the ACK to a refusal is of the same transaction.
    const { outgoing } = pending;
    if (message.status >= 300 && outgoing.method === "INVITE") {
      this.#write({ ...outgoing, method: "ACK", to: message.one("To"), lines: [] }, branch);
    }
    pending.resolve(message);
  }
}
