import type { Request, RequestOptions, Response, Server } from "@sipkit/core";

/**
 * Sends requests to the other registrar: `DigestClient` of `@sipkit/auth` does, with credentials where it is asked for
 * them.
 */
export interface UpstreamClient {
  /** Gives the final response; rejects where there is none. */
  request(server: Server, request: Request, options?: RequestOptions): Promise<Response>;
}

/** How the other registrar is reached. */
export interface UpstreamRules {
  /** Its SIP URI. */
  readonly uri: string;
  /** Milliseconds that it has to answer. */
  readonly timeout: number;
  /** Milliseconds for which nobody asks it when it is down. */
  readonly pause: number;
  /** Requests to it that have no answer yet. */
  readonly maxPending: number;
}

/** Requests without an answer, one after the other, that make it count as down: it may have its reasons to drop one. */
const FAILURES = 3;

/** Sends without credentials. */
const plain: UpstreamClient = {
  request: (server, request, options) => server.request(request, options).final,
};

/** The registrar behind us, as far as it can be told from here. */
export class Upstream {
  readonly #server: Server;
  readonly #rules: UpstreamRules;
  #pending = 0;
  /** Requests without an answer since the last one that had one. */
  #failures = 0;
  #isDownUntil = Number.NEGATIVE_INFINITY;

  constructor(server: Server, rules: UpstreamRules) {
    this.#server = server;
    this.#rules = rules;
  }

  /** Whether it is worth asking: not while it is taken for down, or has enough to do. */
  get isOpen(): boolean {
    const { clock } = this.#server;
    return clock.now() >= this.#isDownUntil && this.#pending < this.#rules.maxPending;
  }

  /**
   * Sends a request and gives the final response; `undefined`: none came in time. `late` is called when the transaction
   * has ended after that, whatever came.
   */
  ask(
    request: Request,
    prepare: NonNullable<RequestOptions["prepare"]>,
    { client = plain, late }: { readonly client?: UpstreamClient; readonly late?: () => void } = {},
  ): Promise<Response | undefined> {
    const { uri, timeout } = this.#rules;
    const { clock } = this.#server;
    const options = { to: uri, prepare, failoverFor: timeout };
    this.#pending += 1;
    return new Promise((resolve) => {
      let isOver = false;
      const timer = clock.setTimer(timeout, () => end(undefined));
      const end = (response: Response | undefined): void => {
        isOver = true;
        this.#note(response);
        resolve(response);
      };
      const settled = (response?: Response): void => {
        this.#pending -= 1;
        timer.cancel();
        if (isOver) late?.();
        else end(response);
      };
      const answer = new Promise<Response>((take) => {
        take(client.request(this.#server, request, options));
      });
      answer.then(settled, () => settled());
    });
  }

  #note(response: Response | undefined): void {
    this.#failures = response === undefined ? this.#failures + 1 : 0;
    const isDown = this.#failures >= FAILURES;
    this.#isDownUntil = isDown
      ? this.#server.clock.now() + this.#rules.pause
      : Number.NEGATIVE_INFINITY;
  }
}
