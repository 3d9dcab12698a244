import {
  type AuthValue,
  type Awaitable,
  authorization,
  detach,
  type HeaderField,
  isPromise,
  ParseError,
  type Request,
  type RequestOptions,
  type Response,
  type Server,
  SipError,
} from "@sipkit/core";
import { type AuthenticationInfo, authenticationInfo } from "./authentication-info.ts";
import {
  type Answered,
  type AuthorizeRequestOptions,
  answerChallenges,
  answerOptions,
  markPrepared,
  putCredentials,
} from "./authorize-request.ts";
import { type AnswerOptions, answerTo, isProofOf, type Sent } from "./client-answer.ts";
import { type AuthParams, credentialsIn, questionsOf } from "./client-challenges.ts";
import type { ClientCredential, ClientCredentials } from "./client-credentials.ts";

/** Options of a {@link DigestClient}. */
export interface DigestClientOptions extends AuthorizeRequestOptions {
  readonly credentials: ClientCredentials;
  /**
   * Whether `request` fails where a 2xx doesn't prove that the server knows the password, too. Default: false: few
   * servers do. RFC 7616 §3.5
   */
  readonly requireProof?: boolean;
}

/**
 * What a 2xx says of who sent it.
 *
 * - `right`: that he knows the password
 * - `wrong`: a digest that he can't have made with it
 * - `none`: nothing
 */
export type ServerProof = "right" | "wrong" | "none";

/** What was sent to a realm last. */
interface Session {
  readonly field: HeaderField<AuthValue>;
  readonly realm: string;
  readonly pair: ClientCredential;
  readonly sent: Sent;
}

/** How many realms' nonces are remembered; the one that was challenged least lately goes first. */
const MAX_REALMS = 16;

/**
 * A client that remembers: goes on with a nonce from one request to the next, so that only the first is challenged,
 * follows the next nonce that a server names, and checks what a server proves of itself. One for each server that
 * requests are sent to: what it learned from one must not be shown to another, who could use it there.
 *
 * RFC 3261 §22.2, §22.3, RFC 7616 §3.4 to §3.6
 *
 * @example
 * const client = new DigestClient({ credentials: { "example.com": ["alice", "secret"] } });
 * const response = await client.request(server, request);
 */
export class DigestClient {
  readonly #credentials: ClientCredentials;
  readonly #options: AnswerOptions;
  readonly #requireProof: boolean;
  readonly #sessions = new Map<string, Session>();

  constructor(options: DigestClientOptions) {
    this.#credentials = options.credentials;
    this.#options = answerOptions(options);
    this.#requireProof = options.requireProof ?? false;
  }

  /** How many realms it has a nonce of. */
  get remembered(): number {
    return this.#sessions.size;
  }

  /**
   * Sends a request, and again with credentials where it is asked for them. Gives the final response, also one that
   * refuses them. The request is changed in place; its CSeq must be higher than that of the one before it.
   *
   * Throws what the transaction throws, and `SIP_SERVER_NOT_PROVED` with `requireProof`.
   */
  async request(
    server: Pick<Server, "request">,
    request: Request,
    options?: RequestOptions,
  ): Promise<Response> {
    this.prepare(request);
    let response = await server.request(request, options).final;
    while (await this.answer(request, response)) {
      response = await server.request(request, options).final;
    }
    const proof = this.accept(request, response);
    if (this.#requireProof && response.status < 300 && proof !== "right") {
      throw new SipError("SIP_SERVER_NOT_PROVED", "the server didn't prove that it is the one");
    }
    return response;
  }

  /**
   * Puts credentials into a request before anybody asks, where a nonce is known: those of a proxy into each, those of a
   * server into requests with the same request-URI. Gives whether there were some.
   */
  prepare(request: Request): boolean {
    if (request.method === "ACK" || request.method === "CANCEL") return false;
    let isReady = false;
    for (const [key, session] of this.#sessions) {
      const { field, realm, pair, sent } = session;
      if (field === authorization && sent.params.get("uri") !== request.uri) continue;
      const question = { field, realm, challenges: [sent.params] };
      const next = answerTo(request, question, pair, sent, this.#options);
      if (next === undefined) continue;
      this.#sessions.set(key, { ...session, sent: next });
      putCredentials(request, { ...session, sent: next });
      isReady = true;
    }
    if (isReady) markPrepared(request);
    return isReady;
  }

  /** As `authorize`, and remembers what was answered; forgets what is refused. */
  answer(request: Request, response: Response): Awaitable<boolean> {
    const answered = answerChallenges(request, response, this.#credentials, this.#options);
    const conclude = (all: readonly Answered[]): boolean => {
      if (all.length === 0) this.#forget(response);
      for (const one of all) this.#remember(one);
      return all.length > 0;
    };
    return isPromise(answered) ? answered.then(conclude) : conclude(answered);
  }

  /** Reads what a 2xx says of the request's credentials: takes the next nonce, and gives what the server proves. */
  accept(request: Request, response: Response): ServerProof {
    if (response.status < 200 || response.status >= 300) return "none";
    const info = infoOf(response);
    if (info === undefined) return "none";
    const proofs = credentialsIn(request, authorization).map((params) => {
      const session = this.#sessions.get(keyOf(authorization, params.get("realm") ?? ""));
      return session === undefined ? "none" : this.#acceptFor(session, params, info, response);
    });
    return proofs.find((proof) => proof !== "none") ?? "none";
  }

  #acceptFor(
    session: Session,
    params: AuthParams,
    info: AuthenticationInfo,
    response: Response,
  ): ServerProof {
    const { realm, pair, sent } = session;
    const rspauth = info.get("rspauth");
    // Of a session that another answer has begun meanwhile, these credentials aren't.
    const isOfSession = sent.start?.cnonce === params.get("cnonce");
    const start = isOfSession && sent.start ? { start: sent.start } : {};
    const isRight =
      rspauth !== undefined && isProofOf({ params, ...start }, realm, pair, info, response.body);
    if (rspauth !== undefined && !isRight) return "wrong";
    const nonce = info.get("nextnonce");
    if (nonce !== undefined) {
      const next = new Map([...sent.params, ["nonce", detach(nonce)], ["nc", "00000000"]]);
      this.#sessions.set(keyOf(session.field, realm), {
        ...session,
        sent: { ...sent, params: next },
      });
    }
    return isRight ? "right" : "none";
  }

  #remember({ field, realm, pair, sent }: Answered): void {
    const key = keyOf(field, realm);
    this.#sessions.delete(key);
    const params = new Map([...sent.params].map(([name, value]) => [name, detach(value)]));
    this.#sessions.set(detach(key), {
      field,
      realm: detach(realm),
      pair,
      sent: { ...sent, params },
    });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_REALMS && oldest !== undefined) this.#sessions.delete(oldest);
  }

  #forget(response: Response): void {
    if (response.status !== 401 && response.status !== 407) return;
    for (const { field, realm } of questionsOf(response))
      this.#sessions.delete(keyOf(field, realm));
  }
}

function keyOf(field: HeaderField<AuthValue>, realm: string): string {
  return `${field.name} ${realm}`;
}

function infoOf(response: Response): AuthenticationInfo | undefined {
  try {
    return response.headers.read(authenticationInfo);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
