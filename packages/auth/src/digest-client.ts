import {
  type AuthValue,
  type Awaitable,
  authorization,
  cseq,
  type HeaderField,
  isPromise,
  type PacketKey,
  ParseError,
  packetKey,
  proxyAuthenticate,
  proxyAuthorization,
  type Random,
  type Request,
  type Response,
  systemRandom,
  wwwAuthenticate,
} from "@sipkit/core";
import { type Algorithm, hashAlgorithms, parseAlgorithm } from "./algorithm.ts";
import { type Credential, ha1From } from "./credentials.ts";
import { type DigestInput, digestResponse, ha2Of } from "./digest.ts";
import { removeCredentials } from "./received-credentials.ts";

/** A user and his password, or his HA1s. */
export type ClientCredential = readonly [user: string, password: Credential];

/**
 * What a client proves itself with: one pair for whoever asks, pairs by realm, or a function of the realm, which gives
 * `undefined` for a realm that it knows nothing for. A pair for everybody is shown to everybody: prefer realms.
 */
export type ClientCredentials =
  | ClientCredential
  | Readonly<Record<string, ClientCredential>>
  | ((realm: string) => Awaitable<ClientCredential | undefined>);

/** What {@link authorize} may be given besides. */
export interface AuthorizeRequestOptions {
  /** Where the cnonce comes from. Default: the operating system. */
  readonly random?: Random;
}

interface Pair {
  readonly challenge: HeaderField<AuthValue>;
  readonly credentials: HeaderField<AuthValue>;
}

type AuthParams = ReadonlyMap<string, string>;

/** The challenges of one realm, and how they are answered. */
interface Question {
  readonly field: HeaderField<AuthValue>;
  readonly realm: string;
  /** Only those that can be answered here. */
  readonly challenges: AuthParams[];
  /** Nobody asks this time: what was answered before goes along again. */
  readonly isRepeated?: boolean;
}

interface Attempts {
  /** The CSeq number that the last answer was sent with: another one is a new beginning. */
  readonly cseq: number;
  /** How often in a row nonces were stale. */
  readonly stale: number;
}

const pairs: readonly Pair[] = [
  { challenge: wwwAuthenticate, credentials: authorization },
  { challenge: proxyAuthenticate, credentials: proxyAuthorization },
];

/** A server that calls every nonce stale would keep its clients busy for ever. */
const MAX_STALE = 2;

const attempts: PacketKey<Attempts> = packetKey("digest attempts");

const chance: Random = systemRandom();

/**
 * Answers the challenges of a 401 or 407: puts credentials into the request, in place, and raises its CSeq, so that it
 * can be sent again as it is. Gives whether it did: `false` when there is nothing to answer, when no credentials are
 * known for a realm that asks, and when those that were sent before are refused (a stale nonce apart).
 *
 * Of several challenges of a realm it answers the one with the strongest algorithm; those that it doesn't understand it
 * passes over. With a function that answers later it gives a promise.
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
  if (response.status !== 401 && response.status !== 407) return false;
  const asked = pairs.flatMap((pair) => questionsOf(request, response, pair));
  if (asked.length === 0) return false;
  const questions = [...repeatedFor(request, asked), ...asked];
  const known = questions.map(({ realm }) => lookUp(credentials, realm));
  const answer = (found: readonly (ClientCredential | undefined)[]): boolean =>
    answerAll(request, questions, found, options.random ?? chance);
  return known.some(isPromise)
    ? Promise.all(known).then(answer)
    : answer(known as readonly (ClientCredential | undefined)[]);
}

function questionsOf(
  request: Request,
  response: Response,
  { challenge, credentials }: Pair,
): Question[] {
  const byRealm = new Map<string, Question>();
  for (const params of paramsOf(response.headers.getAll(challenge.name), challenge)) {
    const realm = params.get("realm");
    if (realm === undefined || !isAnswerable(params)) continue;
    const question = byRealm.get(realm) ?? { field: credentials, realm, challenges: [] };
    question.challenges.push(params);
    byRealm.set(realm, question);
  }
  return [...byRealm.values()].filter((question) => mayAnswer(request, question));
}

/**
 * What the request proves to other realms already, as on its way through two proxies that both ask. Each time that it is
 * sent it counts as another use of those nonces. RFC 7616 §3.4.5
 */
function repeatedFor(request: Request, asked: readonly Question[]): Question[] {
  return pairs.flatMap(({ credentials: field }) =>
    paramsOf(request.headers.getAll(field.name), field).flatMap((params) => {
      const realm = params.get("realm");
      const isAsked = asked.some((one) => one.field === field && one.realm === realm);
      if (realm === undefined || isAsked || !params.has("nc") || !isAnswerable(params)) return [];
      return [{ field, realm, challenges: [params], isRepeated: true }];
    }),
  );
}

/** RFC 8760 §2.4: what isn't understood is ignored. */
function paramsOf(lines: readonly string[], field: HeaderField<AuthValue>): AuthParams[] {
  return lines.flatMap((line) => {
    try {
      const { scheme, params } = field.parse(line);
      return scheme.toLowerCase() === "digest" ? [params] : [];
    } catch (error) {
      if (error instanceof ParseError) return [];
      throw error;
    }
  });
}

function isAnswerable(params: AuthParams): boolean {
  const qop = params.get("qop");
  return (
    params.has("nonce") &&
    hashAlgorithms.some((one) => one === parseAlgorithm(params.get("algorithm"))) &&
    (qop === undefined || qop.split(",").some((one) => one.trim().toLowerCase() === "auth"))
  );
}

/** RFC 3261 §22.2: credentials that were refused are not sent again, except with a new nonce for a stale one. */
function mayAnswer(request: Request, question: Question): boolean {
  if (sentBefore(request, question) === undefined) return true;
  return question.challenges.some(isStale) && staleInARow(request) < MAX_STALE;
}

function sentBefore(request: Request, { field, realm }: Question): AuthParams | undefined {
  const sent = paramsOf(request.headers.getAll(field.name), field);
  return sent.find((params) => params.get("realm") === realm);
}

function isStale(params: AuthParams): boolean {
  return params.get("stale")?.toLowerCase() === "true";
}

function staleInARow(request: Request): number {
  const before = request.get(attempts);
  return before?.cseq === request.cseq.number ? before.stale : 0;
}

function lookUp(
  credentials: ClientCredentials,
  realm: string,
): Awaitable<ClientCredential | undefined> {
  if (typeof credentials === "function") return credentials(realm);
  if (isPair(credentials)) return credentials;
  return Object.hasOwn(credentials, realm) ? credentials[realm] : undefined;
}

function isPair(credentials: ClientCredentials): credentials is ClientCredential {
  return Array.isArray(credentials);
}

function answerAll(
  request: Request,
  questions: readonly Question[],
  found: readonly (ClientCredential | undefined)[],
  random: Random,
): boolean {
  const stale = staleInARow(request);
  let answered = false;
  let again = false;
  questions.forEach((question, i) => {
    const pair = found[i];
    const before = sentBefore(request, question);
    const params = pair && answerTo(request, question, pair, before, random);
    if (params === undefined) return;
    if (before !== undefined) {
      again ||= question.isRepeated !== true;
      removeCredentials(request, [question.field], question.realm);
    }
    const { field } = question;
    request.headers.append(field.name, field.format({ scheme: "Digest", params }));
    answered ||= question.isRepeated !== true;
  });
  if (!answered) return false;
  // RFC 3261 §22.2: it is a new request.
  const { number, method } = request.cseq;
  request.headers.write(cseq, { number: number + 1, method });
  request.set(attempts, { cseq: number + 1, stale: again ? stale + 1 : 0 });
  return true;
}

/** RFC 7616 §3.4 */
function answerTo(
  request: Request,
  { realm, challenges }: Question,
  [user, password]: ClientCredential,
  before: AuthParams | undefined,
  random: Random,
): AuthParams | undefined {
  const best = strongest(challenges, user, realm, password);
  if (best === undefined) return undefined;
  const { challenge, algorithm, ha1 } = best;
  const nonce = challenge.get("nonce") ?? "";
  const input: DigestInput = {
    algorithm,
    nonce,
    ...(challenge.has("qop") && {
      qop: "auth",
      nc: nextCount(before, nonce),
      cnonce: random.token(),
    }),
  };
  const ha2 = ha2Of(request.method, request.uri, algorithm);
  const all: readonly (readonly [string, string | undefined])[] = [
    ["username", user],
    ["realm", realm],
    ["nonce", nonce],
    ["uri", request.uri],
    ["response", digestResponse(ha1, ha2, input)],
    ["algorithm", challenge.get("algorithm")],
    ["opaque", challenge.get("opaque")],
    ["qop", input.qop],
    ["nc", input.nc],
    ["cnonce", input.cnonce],
  ];
  return new Map(all.filter((param): param is readonly [string, string] => param[1] !== undefined));
}

interface Best {
  readonly challenge: AuthParams;
  readonly algorithm: Algorithm;
  readonly ha1: string;
}

function strongest(
  challenges: readonly AuthParams[],
  user: string,
  realm: string,
  password: Credential,
): Best | undefined {
  for (const algorithm of hashAlgorithms) {
    const challenge = challenges.find(
      (params) => parseAlgorithm(params.get("algorithm")) === algorithm,
    );
    const ha1 = challenge && ha1From(password, user, realm, algorithm);
    if (ha1 !== undefined) return { challenge: challenge as AuthParams, algorithm, ha1 };
  }
  return undefined;
}

/** A nonce's uses are counted; a new one begins at 1. */
function nextCount(before: AuthParams | undefined, nonce: string): string {
  const last = before?.get("nonce") === nonce ? Number.parseInt(before.get("nc") ?? "0", 16) : 0;
  return (last + 1).toString(16).padStart(8, "0");
}
