import { createSocket, type Socket } from "node:dgram";
import { credentialsLine, nonceIn, registerText } from "./register-text.ts";

/** What the parent asks for: the phones `first` to `first + count`, users `u0`, `u1` …, one after the other. */
export interface StormOrder {
  readonly first: number;
  readonly count: number;
  readonly rate: number;
}

export interface StormReport {
  readonly successful: number;
  /** Refused, or not answered within 64·T1. */
  readonly failed: number;
  readonly retransmissions: number;
  /** From the first sending of a request to its answer, the longest, ms. */
  readonly longestAnswer: number;
  /** From a phone's first REGISTER to its 200, ms. */
  readonly median: number;
  readonly p99: number;
  /** Registrations begun in a second. */
  readonly rate: number;
}

const HOST = "127.0.0.1";
const T1 = 500;
const T2 = 4_000;
/** RFC 3261 §17.1.2.2: Timer F. */
const WITHIN = 64 * T1;
const TICK = 5;
const SOCKET_BUFFER = 4_194_304;

/** A REGISTER that waits for its answer. */
interface Pending {
  readonly phone: number;
  readonly cseq: number;
  readonly text: string;
  readonly asked: number;
  /** When the phone's first REGISTER was sent. */
  readonly began: number;
  next: number;
  isOver: boolean;
}

/** Phones that all register, as many a second as they are told, and repeat what isn't answered as §17.1.2 has it. */
export class Storm {
  readonly #port: number;
  readonly #sockets: readonly Socket[];
  readonly #locals: readonly string[];
  /** By phone. */
  readonly #pending = new Map<number, Pending>();
  /** By how long they wait for their next repetition, those of one time in order. */
  readonly #queues: readonly { readonly wait: number; readonly waiting: Pending[] }[] = [
    T1,
    2 * T1,
    4 * T1,
    T2,
  ].map((wait) => ({ wait, waiting: [] }));
  #times: number[] = [];
  #turn = 0;
  #failed = 0;
  #retransmissions = 0;
  #longest = 0;

  private constructor(port: number, sockets: readonly Socket[]) {
    this.#port = port;
    this.#sockets = sockets;
    this.#locals = sockets.map((socket) => `${HOST}:${socket.address().port}`);
    for (const socket of sockets) socket.on("message", (bytes) => this.#receive(bytes));
  }

  /** Opens so many sockets, which the phones share. */
  static async open(port: number, count: number): Promise<Storm> {
    const sockets: Socket[] = [];
    for (let i = 0; i < count; i += 1) {
      const socket = createSocket({
        type: "udp4",
        lookup: (host, _, found) => found(null, host, 4),
      });
      await new Promise<void>((resolve) => {
        socket.bind(0, HOST, resolve);
      });
      socket.setRecvBufferSize(SOCKET_BUFFER);
      sockets.push(socket);
    }
    return new Storm(port, sockets);
  }

  async run({ first, count, rate }: StormOrder): Promise<StormReport> {
    this.#times = [];
    this.#turn += 1;
    this.#failed = 0;
    this.#retransmissions = 0;
    this.#longest = 0;
    const began = performance.now();
    let begun = 0;
    let lasted = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const now = performance.now();
        const due = Math.min(count, ((now - began) * rate) / 1_000);
        for (; begun < due; begun += 1) this.#begin(first + begun, now);
        if (begun === count) lasted ||= now - began;
        this.#repeat(now);
        if (begun < count || this.#pending.size > 0) return;
        clearInterval(timer);
        resolve();
      }, TICK);
    });
    this.#times.sort((a, b) => a - b);
    const at = (share: number): number =>
      this.#times[Math.floor(this.#times.length * share)] ?? Number.NaN;
    return {
      successful: this.#times.length,
      failed: this.#failed,
      retransmissions: this.#retransmissions,
      longestAnswer: this.#longest,
      median: at(0.5),
      p99: at(0.99),
      rate: (1_000 * count) / lasted,
    };
  }

  #begin(phone: number, now: number): void {
    this.#ask(phone, 2 * this.#turn - 1, "", now, now);
  }

  #ask(phone: number, cseq: number, credentials: string, asked: number, began: number): void {
    const text = registerText({
      user: `u${phone}`,
      transport: "UDP",
      local: this.#locals[phone % this.#locals.length] ?? "",
      callId: `${process.pid}-${phone}`,
      cseq,
      branch: `z9hG4bK${phone}-${cseq}`,
      credentials,
    });
    const pending = { phone, cseq, text, asked, began, next: asked + T1, isOver: false };
    this.#pending.set(phone, pending);
    this.#queues[0]?.waiting.push(pending);
    this.#send(pending);
  }

  #send({ phone, text }: Pending): void {
    this.#sockets[phone % this.#sockets.length]?.send(text, this.#port, HOST);
  }

  #receive(bytes: Buffer): void {
    const text = bytes.toString("latin1");
    const [, phone, cseq] = /branch=z9hG4bK(\d+)-(\d+)/.exec(text) ?? [];
    const pending = this.#pending.get(Number(phone));
    if (pending === undefined || pending.cseq !== Number(cseq) || text.startsWith("SIP/2.0 1")) {
      return;
    }
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - pending.asked);
    this.#end(pending);
    const isFirst = pending.cseq === 2 * this.#turn - 1;
    const nonce = isFirst ? nonceIn(text) : undefined;
    if (nonce !== undefined) {
      const line = credentialsLine(`u${phone}`, nonce);
      this.#ask(pending.phone, pending.cseq + 1, line, now, pending.began);
    } else if (text.startsWith("SIP/2.0 200 ") && text.includes(`<sip:u${phone}@`)) {
      this.#times.push(now - pending.began);
    } else this.#failed += 1;
  }

  #end(pending: Pending): void {
    pending.isOver = true;
    this.#pending.delete(pending.phone);
  }

  /** RFC 3261 §17.1.2.2: after T1, then after twice as long each time, at most T2. */
  #repeat(now: number): void {
    for (const [level, { waiting }] of this.#queues.entries()) {
      let done = 0;
      for (const pending of waiting) {
        if (pending.next > now) break;
        done += 1;
        if (!pending.isOver) this.#again(pending, level, now);
      }
      waiting.splice(0, done);
    }
  }

  #again(pending: Pending, level: number, now: number): void {
    if (now - pending.asked >= WITHIN) {
      this.#end(pending);
      this.#failed += 1;
      return;
    }
    this.#retransmissions += 1;
    this.#send(pending);
    const next = this.#queues[Math.min(level + 1, this.#queues.length - 1)];
    pending.next = now + (next?.wait ?? T2);
    next?.waiting.push(pending);
  }
}
