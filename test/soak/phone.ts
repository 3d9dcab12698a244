import { authorize } from "@sipkit/auth";
import {
  type ClientTransaction,
  type Dispatcher,
  type Method,
  type Packet,
  Request,
  type RequestOptions,
  type Response,
  type SipError,
  type Verdict,
} from "@sipkit/core";
import type { SeededRandom, VirtualHost } from "@sipkit/core/testing";
import { Dialog } from "./dialog.ts";
import type { Ledger } from "./ledger.ts";
import { CLUSTER, type PhonePlan } from "./plan.ts";

/** How long a callee waits for the ACK to its 2xx before it hangs up: 64·T1. RFC 3261 §13.3.1.4 */
const ACK_TIMEOUT = 32_000;
/** How long it rings for a caller who has neither an answer nor the wish to cancel. */
const LONGEST_RINGING = 90_000;
/** A challenge, and another when its nonce went stale meanwhile. */
const MAX_ATTEMPTS = 4;

/** What a phone knows of the world. */
export interface PhoneWorld {
  readonly ledger: Ledger;
  readonly phones: readonly PhonePlan[];
  /** The number of this life. */
  readonly life: number;
}

/** What happens to a request besides its final response. */
interface Watcher {
  readonly each?: (response: Response, request: Request) => void;
  readonly sent?: (transaction: ClientTransaction) => void;
}

/** One life of a phone: registers, calls, answers, hangs up, and writes down what it takes for true. */
export class SoakPhone {
  readonly life: number;
  readonly dialogs: Map<string, Dialog> = new Map();
  readonly #plan: PhonePlan;
  readonly #world: PhoneWorld;
  readonly #ledger: Ledger;
  readonly #host: VirtualHost;
  readonly #random: SeededRandom;
  readonly #server: Dispatcher;
  readonly #callId: string;
  readonly #seen = new Set<string>();
  #cseq = 0;
  #isQuiet = false;
  #isRegistered = false;

  private constructor(host: VirtualHost, plan: PhonePlan, world: PhoneWorld, server: Dispatcher) {
    this.#host = host;
    this.#plan = plan;
    this.#world = world;
    this.#ledger = world.ledger;
    this.life = world.life;
    this.#random = host.random.fork("behaviour");
    this.#server = server;
    this.#callId = host.random.token();
  }

  static async start(host: VirtualHost, plan: PhonePlan, world: PhoneWorld): Promise<SoakPhone> {
    let phone: SoakPhone | undefined;
    const server = await host.serve({
      legs: [plan.protocol],
      receiver: (packet: Packet) => (packet.isRequest ? phone?.receive(packet) : undefined),
    });
    phone = new SoakPhone(host, plan, world, server);
    phone.#after(phone.#random.integer(0, 3000), () => phone.#keepRegistered());
    phone.#after(phone.#random.integer(1000, 5000), () => phone.#live());
    return phone;
  }

  get server(): Dispatcher {
    return this.#server;
  }

  /** It begins nothing new, but answers, and goes on with what it has begun. */
  beQuiet(): void {
    this.#isQuiet = true;
  }

  /** Ends every call, and takes its registration back or lets it expire. */
  async finish(): Promise<void> {
    this.#isQuiet = true;
    const isPolite = this.#random.chance(0.5);
    await Promise.all([...this.dialogs.values()].map((dialog) => this.#hangUp(dialog)));
    if (isPolite && this.#isRegistered) await this.#register(0);
  }

  receive(request: Request): Verdict | Promise<Verdict> {
    const { method } = request;
    if (method !== "ACK") this.#checkNew(request);
    switch (method) {
      case "INVITE":
        return request.to.tag === undefined ? this.#ring(request) : request.createResponse(488);
      case "ACK":
        return this.#acknowledged(request);
      case "BYE":
        return this.#remoteHungUp(request);
      case "MESSAGE":
        return this.#random.chance(0.3) ? this.#thinkAbout(request) : request.createResponse(200);
      default:
        return request.createResponse(200);
    }
  }

  /** RFC 3261 §17.2: a retransmission never comes up. */
  #checkNew(request: Request): void {
    const { method, topmostVia } = request;
    const key = `${method} ${topmostVia?.branch} ${topmostVia?.sentBy}`;
    if (this.#seen.has(key)) this.#ledger.violate(`${this.#plan.name} was given twice: ${key}`);
    this.#seen.add(key);
  }

  async #thinkAbout(request: Request): Promise<Verdict> {
    await new Promise<void>((resolve) => {
      this.#after(this.#random.integer(50, 6000), resolve);
    });
    return request.createResponse(200);
  }

  // Registration

  async #keepRegistered(): Promise<void> {
    if (this.#isQuiet) return;
    const isRegistered = await this.#register(this.#plan.expires);
    const wait = isRegistered ? this.#plan.expires * 500 : this.#random.integer(2000, 10_000);
    this.#after(wait, () => this.#keepRegistered());
  }

  async #register(expires: number): Promise<boolean> {
    const { user, domain, home, instance } = this.#plan;
    const uri = this.#contact();
    const tail = instance === undefined ? "" : `;+sip.instance="<${instance}>"`;
    const request = this.#newRequest("REGISTER", `sip:${domain}`, `sip:${user}@${domain}`, {
      "Call-ID": this.#callId,
      Contact: `<${uri}>;expires=${expires}${tail}`,
    });
    const sentAt = this.#host.clock.wall();
    const losses = this.#ledger.lossesOf(home);
    if (expires === 0) this.#ledger.acknowledged.delete(uri);
    const response = await this.#exchange(request);
    if (response?.status !== 200) return false;
    this.#isRegistered = expires > 0;
    if (expires > 0 && losses === this.#ledger.lossesOf(home)) {
      this.#ledger.acknowledged.set(uri, {
        life: this.life,
        home,
        addressOfRecord: `sip:${user}@${domain}`,
        uri,
        until: sentAt + expires * 1000,
      });
    }
    return true;
  }

  /** Registers what must be refused: too briefly, with a wrong password, or in another's name. */
  async #registerBadly(): Promise<void> {
    const { name, domain } = this.#plan;
    const kind = this.#random.pick(["brief", "wrong", "foreign"] as const);
    const victim = this.#otherPhone((other) => other.domain === domain)?.user;
    const whose = kind === "foreign" ? victim : this.#plan.user;
    if (whose === undefined) return;
    const uri = this.#contact(`refused-${this.#random.token()}`);
    const request = this.#newRequest("REGISTER", `sip:${domain}`, `sip:${whose}@${domain}`, {
      "Call-ID": this.#host.random.token(),
      Contact: `<${uri}>;expires=${kind === "brief" ? 1 : 30}`,
    });
    this.#ledger.refused.add(uri);
    const password = kind === "wrong" ? "a guess" : this.#plan.password;
    const response = await this.#exchange(request, {}, {}, password);
    if (response !== undefined && response.status < 300) {
      this.#ledger.violate(`${name}: a ${kind} REGISTER got a ${response.status}`);
    }
  }

  // What it does by itself

  #live(): void {
    if (this.#isQuiet) return;
    this.#after(this.#random.integer(2000, 15_000), () => this.#live());
    const dice = this.#random.number();
    if (dice < 0.5) void this.#call();
    else if (dice < 0.7) void this.#message();
    else if (dice < 0.8) void this.#ping();
    else if (dice < 0.9) void this.#registerBadly();
    else {
      const [dialog] = this.dialogs.values();
      if (dialog?.isEnding === false) void this.#exchange(dialog.request("OPTIONS"));
    }
  }

  async #message(): Promise<void> {
    const to = this.#someUri();
    await this.#exchange(this.#newRequest("MESSAGE", to, to));
  }

  async #ping(): Promise<void> {
    const uri = this.#random.chance(0.5) ? `sip:${this.#plan.domain}` : this.#someUri();
    await this.#exchange(this.#newRequest("OPTIONS", uri, uri));
  }

  async #call(): Promise<void> {
    const to = this.#someUri();
    const invite = this.#newRequest("INVITE", to, to, {
      Contact: `<${this.#contact()}>`,
    });
    // After a provisional response nothing but the caller's patience ends an INVITE. RFC 3261 §17.1.1.2
    const patience = this.#random.chance(0.3) ? this.#random.integer(0, 8000) : LONGEST_RINGING;
    let isCancelled = false;
    const began = this.#host.clock.now();
    await this.#exchange(
      invite,
      {},
      {
        sent: (transaction) => {
          if (isCancelled) transaction.cancel();
          else if (patience !== undefined) {
            this.#after(patience, () => {
              isCancelled = true;
              transaction.cancel();
            });
          }
        },
        each: (response, request) => this.#answered(request, response, isCancelled, began),
      },
    );
  }

  /** Each 2xx, and each retransmission of one, gets its ACK. RFC 3261 §13.2.2.4 */
  #answered(invite: Request, response: Response, isCancelled: boolean, began: number): void {
    if (response.status < 200 || response.status >= 300) return;
    this.#server.deliver(invite.createAck(response));
    const dialog = Dialog.ofCaller(response, began);
    if (this.#seen.has(dialog.key)) return;
    this.#seen.add(dialog.key);
    dialog.isConfirmed = true;
    this.dialogs.set(dialog.key, dialog);
    this.#ledger.count("dialogs");
    const wait = isCancelled ? 0 : this.#random.integer(100, 20_000);
    if (isCancelled || this.#random.chance(0.7)) this.#after(wait, () => this.#hangUp(dialog));
  }

  // What others want of it

  #ring(invite: Request): Verdict {
    if (this.#random.chance(0.15)) return invite.createResponse(486);
    const { signal } = invite;
    let isOpen = true;
    const say = (status: number): void => {
      if (!isOpen) return;
      isOpen = status < 200;
      const response = invite.createResponse(status, {
        headers: { Contact: `<${this.#contact()}>` },
      });
      if (status === 200) this.#accepted(invite, response);
      this.#server.deliver(response);
    };
    signal.addEventListener("abort", () => say(487), { once: true });
    const ringing = this.#random.integer(0, 1000);
    this.#after(ringing, () => say(180));
    if (this.#random.chance(0.9)) {
      this.#after(ringing + this.#random.integer(0, 8000), () =>
        say(this.#random.chance(0.85) ? 200 : 603),
      );
    }
    this.#after(LONGEST_RINGING, () => say(480));
    return "later";
  }

  #accepted(invite: Request, response: Response): void {
    const dialog = Dialog.ofCallee(invite, response, this.#host.clock.now());
    this.dialogs.set(dialog.key, dialog);
    this.#after(ACK_TIMEOUT, () => {
      if (!dialog.isConfirmed) void this.#hangUp(dialog);
    });
  }

  #acknowledged(ack: Request): Verdict {
    const dialog = this.#dialogOf(ack);
    if (dialog !== undefined && !dialog.isConfirmed) {
      dialog.isConfirmed = true;
      if (this.#random.chance(0.3)) {
        this.#after(this.#random.integer(100, 20_000), () => this.#hangUp(dialog));
      }
    }
    return "drop";
  }

  #remoteHungUp(bye: Request): Verdict {
    const dialog = this.#dialogOf(bye);
    if (dialog === undefined) return bye.createResponse(481);
    this.dialogs.delete(dialog.key);
    return bye.createResponse(200);
  }

  /** The dialog is over for this side whatever is answered. RFC 3261 §15.1.1 */
  async #hangUp(dialog: Dialog): Promise<void> {
    if (!this.dialogs.has(dialog.key) || dialog.isEnding) return;
    dialog.isEnding = true;
    const response = await this.#exchange(dialog.request("BYE"));
    this.dialogs.delete(dialog.key);
    if (response?.status !== 200 && response?.status !== 481) {
      this.#ledger.unconfirmedByes.add(dialog.callId);
    }
  }

  #dialogOf(request: Request): Dialog | undefined {
    for (const dialog of this.dialogs.values()) if (dialog.matches(request)) return dialog;
    return undefined;
  }

  // Requests

  #newRequest(
    method: Method,
    uri: string,
    to: string,
    headers: Readonly<Record<string, string>> = {},
  ): Request {
    const { user, domain } = this.#plan;
    this.#cseq += 1;
    return new Request(method, uri, {
      headers: {
        "Max-Forwards": "70",
        From: `<sip:${user}@${domain}>;tag=${this.#host.random.token()}`,
        To: `<${to}>`,
        "Call-ID": this.#host.random.token(),
        CSeq: `${this.#cseq} ${method}`,
        ...headers,
      },
    });
  }

  /** Sends a request, with credentials when it is challenged. Gives the last response; none when it failed. */
  async #exchange(
    request: Request,
    options: RequestOptions = {},
    watcher: Watcher = {},
    password: string = this.#plan.password,
  ): Promise<Response | undefined> {
    let response: Response | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      response = await this.#sendOnce(request, options, watcher);
      if (response === undefined) return undefined;
      const { random } = this.#host;
      if (!authorize(request, response, [this.#plan.user, password], { random })) return response;
      this.#cseq = Math.max(this.#cseq, request.cseq.number);
    }
    return response;
  }

  #sendOnce(
    request: Request,
    options: RequestOptions,
    watcher: Watcher,
  ): Promise<Response | undefined> {
    const { name, home, protocol } = this.#plan;
    const { clock } = this.#host;
    const { method, callId } = request;
    const entry = this.#ledger.open({
      phone: name,
      life: this.life,
      method,
      callId,
      at: clock.now(),
      places: this.#places(request),
    });
    const to = request.headers.has("route") ? {} : { to: `sip:${home};transport=${protocol}` };
    const sent = request.clone();
    return new Promise((resolve) => {
      const transaction = this.#server.request(request, {
        ...to,
        ...options,
        observer: {
          response: (response: Response) => {
            if (response.status < 200) entry.hadProvisional = true;
            else if (entry.endedAt === undefined) {
              this.#ledger.close(entry, clock.now(), response.status);
              resolve(response);
            }
            watcher.each?.(response, sent);
          },
          failed: (error: SipError) => {
            this.#ledger.close(entry, clock.now(), error.code);
            resolve(undefined);
          },
        },
      });
      watcher.sent?.(transaction);
    });
  }

  #places(request: Request): number {
    const { home } = this.#plan;
    return !request.headers.has("route") && home === CLUSTER ? 2 : 1;
  }

  #someUri(): string {
    if (this.#random.chance(0.05)) return `sip:nobody@${this.#plan.domain}`;
    const other = this.#otherPhone(() => true);
    return other === undefined
      ? `sip:nobody@${this.#plan.domain}`
      : `sip:${other.user}@${other.domain}`;
  }

  #otherPhone(fits: (phone: PhonePlan) => boolean): PhonePlan | undefined {
    const { user } = this.#plan;
    const others = this.#world.phones.filter((phone) => phone.user !== user && fits(phone));
    return others.length === 0 ? undefined : this.#random.pick(others);
  }

  /** Nobody reaches a browser but over its own connection. RFC 7118 App. B.1 */
  #contact(user: string = this.#plan.name): string {
    const { name, protocol } = this.#plan;
    const host = protocol === "ws" ? `${name}.invalid` : `${this.#host.address}:5060`;
    return `sip:${user}@${host};transport=${protocol}`;
  }

  #after(ms: number, run: () => unknown): void {
    this.#host.clock.setTimer(ms, () => void run());
  }
}
