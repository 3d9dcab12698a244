import {
  type AuthValue,
  type Awaitable,
  cseq,
  type HeaderField,
  isPromise,
  type PacketKey,
  packetKey,
  type Random,
  type Request,
  type Response,
  systemRandom,
} from "@sipkit/core";
import { type AnswerOptions, answerTo, type Sent } from "./client-answer.ts";
import {
  isStale,
  type Question,
  questionsOf,
  repeatedFor,
  sentBefore,
} from "./client-challenges.ts";
import {
  type ClientCredential,
  type ClientCredentials,
  clientCredential,
} from "./client-credentials.ts";
import { removeCredentials } from "./received-credentials.ts";

/** What {@link authorize} may be given besides. */
export interface AuthorizeRequestOptions {
  /** Where the cnonce comes from. Default: the operating system. */
  readonly random?: Random;
  /**
   * Whether the body is covered by the digest, too, wherever that is offered (`auth-int`). Default: false, as whatever
   * rewrites bodies on the way breaks it. RFC 7616 §3.4
   */
  readonly integrity?: boolean;
}

/** Credentials that were put into a request. */
export interface Answered {
  readonly field: HeaderField<AuthValue>;
  readonly realm: string;
  readonly pair: ClientCredential;
  readonly sent: Sent;
}

interface Attempts {
  /** The CSeq number that the last answer was sent with: another one is a new beginning. */
  readonly cseq: number;
  /** How many challenges were answered. */
  readonly answers: number;
  /** How often in a row nonces were stale. */
  readonly stale: number;
  /** Whether nobody had asked for what the request proves. */
  readonly isPrepared: boolean;
}

/** How often a stale nonce is followed by a new one: a server that calls each stale would keep its clients busy for ever. */
const MAX_STALE = 1;

/** How many challenges one request answers, of whatever realms: there could always be a further one. */
const MAX_ANSWERS = 8;

const attempts: PacketKey<Attempts> = packetKey("digest attempts");

const chance: Random = systemRandom();

/**
 * Answers the challenges of a 401 or 407: puts credentials into the request, in place, and raises its CSeq, so that it
 * can be sent again as it is. Gives whether it did: `false` when there is nothing to answer, when no credentials are
 * known for a realm that asks, and when those that were sent before are refused (one stale nonce apart).
 *
 * Of several challenges of a realm it answers the one with the strongest algorithm; those that it doesn't understand it
 * passes over. With a function that answers later it gives a promise. A `DigestClient` goes on with a nonce from one
 * request to the next, which this doesn't.
 *
 * RFC 3261 §22.2, §22.3, RFC 7616 §3.4, RFC 8760 §2.4
 *
 * @example
 * const response = await server.request(request).final;
 * if (authorize(request, response, ["alice", "secret"])) await server.request(request).final;
 */
export function authorize(
  request: Request,
  response: Response,
  credentials: Exclude<ClientCredentials, (realm: string) => unknown>,
  options?: AuthorizeRequestOptions,
): boolean;
export function authorize(
  request: Request,
  response: Response,
  credentials: ClientCredentials,
  options?: AuthorizeRequestOptions,
): Awaitable<boolean>;
export function authorize(
  request: Request,
  response: Response,
  credentials: ClientCredentials,
  options: AuthorizeRequestOptions = {},
): Awaitable<boolean> {
  const answered = answerChallenges(request, response, credentials, answerOptions(options));
  return isPromise(answered) ? answered.then(({ length }) => length > 0) : answered.length > 0;
}

/** The options with their defaults. */
export function answerOptions(options: AuthorizeRequestOptions): AnswerOptions {
  return { random: options.random ?? chance, integrity: options.integrity ?? false };
}

/** As {@link authorize}: gives what was put into the request, nothing when that isn't to be sent again. */
export function answerChallenges(
  request: Request,
  response: Response,
  credentials: ClientCredentials,
  options: AnswerOptions,
): Awaitable<readonly Answered[]> {
  if (response.status !== 401 && response.status !== 407) return [];
  if (attemptsOf(request).answers >= MAX_ANSWERS) return [];
  const asked = questionsOf(response).filter((question) => mayAnswer(request, question));
  if (asked.length === 0) return [];
  const questions = [...repeatedFor(request, asked), ...asked];
  const known = questions.map(({ realm }) => clientCredential(credentials, realm));
  const answer = (found: readonly (ClientCredential | undefined)[]): readonly Answered[] =>
    answerAll(request, questions, found, options);
  return known.some(isPromise)
    ? Promise.all(known).then(answer)
    : answer(known as readonly (ClientCredential | undefined)[]);
}

/** Notes that a request proves what nobody has asked for yet. */
export function markPrepared(request: Request): void {
  request.set(attempts, { cseq: request.cseq.number, answers: 0, stale: 0, isPrepared: true });
}

/** Puts credentials into a request, in the place of those that it has for the realm. */
export function putCredentials(request: Request, { field, realm, sent }: Answered): void {
  removeCredentials(request, [field], realm);
  request.headers.append(field.name, field.format({ scheme: "Digest", params: sent.params }));
}

/** RFC 3261 §22.2: credentials that were refused are not sent again, except with a new nonce for a stale one. */
function mayAnswer(request: Request, question: Question): boolean {
  if (sentBefore(request, question) === undefined) return true;
  const { stale, isPrepared } = attemptsOf(request);
  // Of what was sent unasked, nobody has said that more than its nonce is refused.
  return isPrepared || (question.challenges.some(isStale) && stale < MAX_STALE);
}

function attemptsOf(request: Request): Attempts {
  const { number } = request.cseq;
  const before = request.get(attempts);
  return before?.cseq === number
    ? before
    : { cseq: number, answers: 0, stale: 0, isPrepared: false };
}

function answerAll(
  request: Request,
  questions: readonly Question[],
  found: readonly (ClientCredential | undefined)[],
  options: AnswerOptions,
): readonly Answered[] {
  const { answers, stale, isPrepared } = attemptsOf(request);
  const answered: Answered[] = [];
  let isAnswer = false;
  let again = false;
  questions.forEach((question, i) => {
    const { field, realm, isRepeated = false } = question;
    const pair = found[i];
    const before = sentBefore(request, question);
    const sent = pair && answerTo(request, question, pair, before && { params: before }, options);
    if (sent === undefined || pair === undefined) return;
    again ||= before !== undefined && !isRepeated;
    isAnswer ||= !isRepeated;
    answered.push({ field, realm, pair, sent });
  });
  if (!isAnswer) return [];
  for (const answer of answered) putCredentials(request, answer);
  // RFC 3261 §22.2: it is a new request.
  const { number, method } = request.cseq;
  request.headers.write(cseq, { number: number + 1, method });
  request.set(attempts, {
    cseq: number + 1,
    answers: answers + 1,
    stale: again && !isPrepared ? stale + 1 : 0,
    isPrepared: false,
  });
  return answered;
}
