import type { ClientObserver, ClientTransaction } from "../chain/server.ts";
import { type SipError, TransportError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import type { ClientMachine } from "../transaction/client-machine.ts";

/** How many responses wait for an iterator; of more, the oldest provisional ones go. */
const MAX_KEPT = 64;

interface Settlement {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: SipError) => void;
}

/**
 * What the caller of `dispatcher.request` holds: responses as an observer, as a promise or as an iterator, whichever
 * is asked for. Nothing is allocated for what nobody asks for.
 */
export class ClientExchange implements ClientTransaction {
  #request: Request;
  readonly #observer: ClientObserver | undefined;
  readonly #report: (error: unknown) => void;
  /** Responses that no iterator has taken yet; kept only where no observer takes them. */
  readonly #kept: Response[] = [];
  #machine: ClientMachine | undefined;
  #final: Response | undefined;
  #error: SipError | undefined;
  #ended = false;
  #cancelled = false;
  #promise: Promise<Response> | undefined;
  #settlement: Settlement | undefined;
  #wake: (() => void) | undefined;
  #unfollow: (() => void) | undefined;

  /** `report` is told what the observer throws. */
  constructor(
    request: Request,
    observer: ClientObserver | undefined,
    report: (error: unknown) => void,
  ) {
    this.#request = request;
    this.#observer = observer;
    this.#report = report;
  }

  get request(): Request {
    return this.#request;
  }

  /** Cancels it when the signal is aborted, until it is over. */
  follow(signal: AbortSignal): void {
    if (signal.aborted) {
      this.cancel();
      return;
    }
    const cancel = (): void => this.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    this.#unfollow = () => signal.removeEventListener("abort", cancel);
  }

  get final(): Promise<Response> {
    this.#promise ??= new Promise((resolve, reject) => {
      if (this.#final !== undefined) resolve(this.#final);
      else if (this.#error !== undefined) reject(this.#error);
      else this.#settlement = { resolve, reject };
    });
    return this.#promise;
  }

  /** Whether it ended before it was sent. */
  get isOver(): boolean {
    return this.#error !== undefined;
  }

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  cancel(): void {
    if (this.#cancelled || this.#final !== undefined || this.#error !== undefined) return;
    this.#cancelled = true;
    if (this.#machine !== undefined) this.#machine.cancel();
    else this.failed(new TransportError("cancelled before it was sent", { code: "SIP_CANCELLED" }));
  }

  /** It is about to be sent anew, as this copy. */
  begin(request: Request): void {
    this.#request = request;
    this.#machine = undefined;
  }

  /** Nobody waits for it any more. */
  abandon(): void {
    this.#machine?.abandon();
  }

  /** It was sent. */
  sent(machine: ClientMachine): void {
    this.#machine = machine;
  }

  response(response: Response): void {
    if (this.#error !== undefined) return;
    if (this.#observer === undefined) this.#keep(response);
    if (response.status >= 200) {
      this.#unfollow?.();
      this.#final ??= response;
      this.#settlement?.resolve(response);
      // Further 2xx may follow to an INVITE until its transaction ends.
      if (this.request.method !== "INVITE" || response.status >= 300) this.#ended = true;
    }
    this.#tell((observer) => observer.response(response));
  }

  failed(error: SipError): void {
    if (this.#final !== undefined || this.#error !== undefined) return;
    this.#error = error;
    this.#unfollow?.();
    this.#settlement?.reject(error);
    this.#tell((observer) => observer.failed(error));
  }

  ended(): void {
    this.#ended = true;
    this.#wake?.();
  }

  #tell(news: (observer: ClientObserver) => void): void {
    try {
      if (this.#observer !== undefined) news(this.#observer);
    } catch (error) {
      this.#report(error);
    }
    this.#wake?.();
  }

  #keep(response: Response): void {
    if (this.#kept.length >= MAX_KEPT) this.#kept.shift();
    this.#kept.push(response);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Response> {
    for (;;) {
      const next = this.#kept.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      if (this.#error !== undefined) throw this.#error;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
