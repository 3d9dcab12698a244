import {
  contact,
  isTooLongFor,
  ParseError,
  type Request,
  type Response,
  readSipUri,
  uriEquals,
} from "@sipkit/core";
import type { SentContact } from "./upstream-request.ts";

/** What of a refusal is its sender's business. */
const PASSED_ON = ["Retry-After", "Min-Expires", "Unsupported", "Warning", "Error-Info"];
const CHALLENGES = ["WWW-Authenticate", "Proxy-Authenticate"];
const LARGEST = 4_294_967_295;

/** Whether an answer says that whoever should have served the REGISTER could not. */
export function isUnavailable({ status }: Response): boolean {
  return status === 408 || (status >= 502 && status <= 504);
}

/**
 * The answer to a REGISTER that the other registrar refused. A stranger's datagram gets fewer challenges where all would make it
 * too long; `undefined`: not even one fits.
 */
export function refusalOf(request: Request, refused: Response): Response | undefined {
  const { status, reason, headers } = refused;
  const kept = (status < 400 ? [...PASSED_ON, "Contact"] : PASSED_ON).flatMap((name) =>
    headers.getAll(name).map((value) => [name, value] as const),
  );
  const challenges = CHALLENGES.flatMap((name) =>
    headers.getAll(name).map((value) => [name, value] as const),
  );
  const { from, size } = request.arrival ?? {};
  for (let first = 0; first <= challenges.length; first += 1) {
    if (first > 0 && first === challenges.length) break;
    const all = [...kept, ...challenges.slice(first)];
    const answer = request.createResponse(status, { reason, headers: all });
    if (from === undefined || !isTooLongFor(answer.toWire(), from, size)) return answer;
  }
  return undefined;
}

/** The seconds that the other registrar granted a Contact; 0: it lists others, and this one not. */
export function grantedSeconds(response: Response, sent: SentContact, byPath: boolean): number {
  const otherwise = secondsIn(response.headers.get("expires")) ?? sent.seconds;
  const listed = contactsIn(response);
  if (listed.length === 0) return otherwise;
  const own = listed.find(({ uri }) =>
    byPath && sent.binding !== undefined
      ? uriEquals(uri, sent.binding.uri)
      : readSipUri(uri)?.user === sent.user,
  );
  if (own === undefined) return 0;
  return Math.min(secondsIn(own.expires) ?? otherwise, sent.seconds);
}

/** What it wants at least, of a 423; `undefined`: it doesn't say. */
export function wantedSeconds({ headers }: Response): number | undefined {
  return secondsIn(headers.get("min-expires"));
}

/** What a 2xx tells a device's digest client. RFC 7616 §3.5 */
export function authenticationInfoOf({
  headers,
}: Response): readonly (readonly [name: string, value: string])[] {
  const value = headers.get("authentication-info");
  return value === undefined ? [] : [["Authentication-Info", value]];
}

function contactsIn({ headers }: Response): readonly {
  readonly uri: string;
  readonly expires: string | undefined;
}[] {
  try {
    return headers.readAll(contact).filter((each) => each !== "*");
  } catch (error) {
    if (error instanceof ParseError) return [];
    throw error;
  }
}

function secondsIn(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]+$/.test(text)) return undefined;
  return Math.min(Number(text), LARGEST);
}
