import {
  type AuthValue,
  authorization,
  type HeaderField,
  ParseError,
  proxyAuthenticate,
  proxyAuthorization,
  type Request,
  type Response,
  wwwAuthenticate,
} from "@sipkit/core";
import { isSession, parseAlgorithm } from "./algorithm.ts";
import type { Qop } from "./digest.ts";

/** The parameters of a challenge or of credentials. */
export type AuthParams = ReadonlyMap<string, string>;

/** The challenges of one realm, and where they are answered. */
export interface Question {
  readonly field: HeaderField<AuthValue>;
  readonly realm: string;
  /** Only those that can be answered here. */
  readonly challenges: AuthParams[];
  /** Nobody asks this time: what was answered before goes along again. */
  readonly isRepeated?: boolean;
}

const pairs = [
  { challenge: wwwAuthenticate, credentials: authorization },
  { challenge: proxyAuthenticate, credentials: proxyAuthorization },
] as const;

/** What a 401 or 407 asks, one question for each realm. */
export function questionsOf(response: Response): Question[] {
  return pairs.flatMap(({ challenge, credentials }) => {
    const byRealm = new Map<string, Question>();
    for (const params of digestsOf(response.headers.getAll(challenge.name), challenge)) {
      const realm = params.get("realm");
      if (realm === undefined || !isAnswerable(params)) continue;
      const question = byRealm.get(realm) ?? { field: credentials, realm, challenges: [] };
      question.challenges.push(params);
      byRealm.set(realm, question);
    }
    return [...byRealm.values()];
  });
}

/**
 * What the request proves to other realms already, as on its way through two proxies that both ask. Each time that it is
 * sent it counts as another use of those nonces. RFC 7616 §3.4
 */
export function repeatedFor(request: Request, asked: readonly Question[]): Question[] {
  return pairs.flatMap(({ credentials: field }) =>
    credentialsIn(request, field).flatMap((params) => {
      const realm = params.get("realm");
      const isAsked = asked.some((one) => one.field === field && one.realm === realm);
      if (realm === undefined || isAsked || !params.has("nc") || !isAnswerable(params)) return [];
      return [{ field, realm, challenges: [params], isRepeated: true }];
    }),
  );
}

/** What a request proves already in answer to a question. */
export function sentBefore(request: Request, { field, realm }: Question): AuthParams | undefined {
  return credentialsIn(request, field).find((params) => params.get("realm") === realm);
}

/** The digest credentials in a request. */
export function credentialsIn(request: Request, field: HeaderField<AuthValue>): AuthParams[] {
  return digestsOf(request.headers.getAll(field.name), field);
}

/** Whether the server says that only the nonce is too old. */
export function isStale(params: AuthParams): boolean {
  return params.get("stale")?.toLowerCase() === "true";
}

/** Which of the qops of a challenge to answer with; `undefined`: it has none that is known here. */
export function qopOf(params: AuthParams, integrity: boolean): Qop | undefined {
  const offered = params
    .get("qop")
    ?.split(",")
    .map((one) => one.trim().toLowerCase());
  const preferred: readonly Qop[] = integrity ? ["auth-int", "auth"] : ["auth", "auth-int"];
  return preferred.find((qop) => offered?.includes(qop));
}

/** RFC 8760 §2.4: what isn't understood is ignored. */
function digestsOf(lines: readonly string[], field: HeaderField<AuthValue>): AuthParams[] {
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
  const algorithm = parseAlgorithm(params.get("algorithm"));
  if (algorithm === undefined || !params.has("nonce")) return false;
  // A session's key has a cnonce in it, which is sent with a qop alone.
  return params.has("qop") ? qopOf(params, false) !== undefined : !isSession(algorithm);
}
