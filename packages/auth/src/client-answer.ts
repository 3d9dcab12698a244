import type { Random, Request } from "@sipkit/core";
import { type Algorithm, algorithms, hashOf, isSession, parseAlgorithm } from "./algorithm.ts";
import { type AuthParams, type Question, qopOf } from "./client-challenges.ts";
import type { ClientCredential } from "./client-credentials.ts";
import { type Credential, ha1From } from "./credentials.ts";
import { type DigestInput, digestKey, digestResponse, ha2Of, userhashOf } from "./digest.ts";

/** What a session began with: it stays in the key when the nonce changes. RFC 7616 §3.4.2 */
type SessionStart = Readonly<Record<"nonce" | "cnonce", string>>;

/** Credentials that were sent. */
export interface Sent {
  readonly params: AuthParams;
  /** Of a session form: what its key is made with. Left out: the nonce and the cnonce that were sent. */
  readonly start?: SessionStart | undefined;
}

/** How challenges are answered. */
export interface AnswerOptions {
  readonly random: Random;
  /** Whether the body is covered, too, wherever that is offered. */
  readonly integrity: boolean;
}

/**
 * The answer to one realm's question, by the strongest algorithm that can be had; `undefined` when there is none. `before`
 * is what was sent last with the same nonce, or another.
 *
 * RFC 7616 §3.4
 */
export function answerTo(
  request: Request,
  { realm, challenges }: Question,
  [user, password]: ClientCredential,
  before: Sent | undefined,
  { random, integrity }: AnswerOptions,
): Sent | undefined {
  const best = strongest(challenges, user, realm, password);
  if (best === undefined) return undefined;
  const { challenge, algorithm, ha1 } = best;
  const nonce = challenge.get("nonce") ?? "";
  const last = before?.params.get("nonce") === nonce ? before : undefined;
  const qop = qopOf(challenge, integrity);
  const cnonce = qop && ((isSession(algorithm) && last?.params.get("cnonce")) || random.token());
  const start = last?.start ?? { nonce, cnonce: cnonce ?? "" };
  const input: DigestInput = { algorithm, nonce, qop, nc: qop && nextCount(last), cnonce };
  const key = digestKey(ha1, { algorithm, ...start });
  const body = qop === "auth-int" ? request.body : undefined;
  const ha2 = ha2Of(request.method, request.uri, algorithm, body);
  const isHashed = challenge.get("userhash")?.toLowerCase() === "true";
  const all: readonly (readonly [string, string | undefined])[] = [
    ["username", isHashed ? userhashOf(user, realm, algorithm) : user],
    ["realm", realm],
    ["nonce", nonce],
    ["uri", request.uri],
    ["response", digestResponse(key, ha2, input)],
    ["algorithm", challenge.get("algorithm")],
    ["opaque", challenge.get("opaque")],
    ["qop", qop],
    ["nc", input.nc],
    ["cnonce", cnonce],
    ["userhash", isHashed ? "true" : undefined],
  ];
  const given = all.filter((param): param is readonly [string, string] => param[1] !== undefined);
  return { params: new Map(given), start: isSession(algorithm) ? start : undefined };
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
  for (const algorithm of algorithms) {
    const challenge = challenges.find(
      (params) => parseAlgorithm(params.get("algorithm")) === algorithm,
    );
    const ha1 = challenge && ha1From(password, user, realm, hashOf(algorithm));
    if (ha1 !== undefined) return { challenge: challenge as AuthParams, algorithm, ha1 };
  }
  return undefined;
}

/** A nonce's uses are counted; a new one begins at 1. */
function nextCount(last: Sent | undefined): string {
  const count = Number.parseInt(last?.params.get("nc") ?? "0", 16);
  return (count + 1).toString(16).padStart(8, "0");
}

/**
 * Whether a response's Authentication-Info proves that who sent it knows the password: for those very credentials, and
 * for this body where the digest covers it.
 *
 * RFC 7616 §3.5
 */
export function isProofOf(
  { params, start }: Sent,
  realm: string,
  [user, password]: ClientCredential,
  info: AuthParams,
  body: Uint8Array,
): boolean {
  const algorithm = parseAlgorithm(params.get("algorithm"));
  const ha1 = algorithm && ha1From(password, user, realm, hashOf(algorithm));
  if (algorithm === undefined || ha1 === undefined) return false;
  const [nonce = "", cnonce = "", uri = ""] = ["nonce", "cnonce", "uri"].map((name) =>
    params.get(name),
  );
  const qop = params.get("qop");
  const isOfThese = ["qop", "nc", "cnonce"].every((name) => info.get(name) === params.get(name));
  const key = digestKey(ha1, { algorithm, ...(start ?? { nonce, cnonce }) });
  const ha2 = ha2Of("", uri, algorithm, qop === "auth-int" ? body : undefined);
  const input: DigestInput = { algorithm, nonce, qop, nc: params.get("nc"), cnonce };
  return isOfThese && info.get("rspauth")?.toLowerCase() === digestResponse(key, ha2, input);
}
