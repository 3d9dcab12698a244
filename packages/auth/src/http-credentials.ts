import { type Clock, Reject, SipError, systemClock } from "@sipkit/core";
import { isAskable } from "./askable-user.ts";
import type { Credential, CredentialsFunction } from "./credentials.ts";
import { readJson } from "./read-json.ts";

/** How {@link httpCredentials} asks. */
export interface HttpCredentialsOptions {
  /** Headers of each request, as an `authorization` that the service asks for. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long an answer may take, with its body, in milliseconds. Default: 2000. */
  readonly timeout?: number;
  /** Requests that are open at once; who comes beyond gets a 503. Default: 100. */
  readonly maxAtOnce?: number;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** The longest body of an answer, in bytes. */
const LONGEST_ANSWER = 16_384;

/**
 * The users of a service that is asked over HTTP: a POST with the JSON object `{"user", "realm"}`, so that names are in
 * no address and in no log of one. It answers
 *
 * - 200 and `{"password": "…"}`, or `{"ha1": {"MD5": "…", "SHA-256": "…", "SHA-512-256": "…"}}` with some of these
 * - 404, where there is no such user
 *
 * Everything else, a redirect included, is an error: the sender gets a 500, and it is reported. Put `cached` round it.
 *
 * Throws `SIP_BAD_OPTION`.
 */
export function httpCredentials(
  url: string | URL,
  options: HttpCredentialsOptions = {},
): CredentialsFunction {
  const { headers = {}, timeout = 2000, maxAtOnce = 100, clock = systemClock } = options;
  if (!URL.canParse(String(url)) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new SipError("SIP_BAD_OPTION", "an http or https address must be given");
  }
  for (const [name, value] of Object.entries({ timeout, maxAtOnce })) {
    if (!(Number.isFinite(value) && value >= 1)) {
      throw new SipError("SIP_BAD_OPTION", `${name} must be 1 or more`);
    }
  }
  const sent = { accept: "application/json", ...headers, "content-type": "application/json" };
  let open = 0;
  return async (user, realm) => {
    if (!isAskable(user)) return undefined;
    if (open >= maxAtOnce) throw new Reject(503, { headers: { "Retry-After": "5" } });
    open += 1;
    const control = new AbortController();
    const timer = clock.setTimer(timeout, () => control.abort());
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: sent,
        body: JSON.stringify({ user, realm }),
        redirect: "error",
        signal: control.signal,
      });
      if (response.status === 200) return credentialOf(await readJson(response, LONGEST_ANSWER));
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      throw failed(`it answered ${response.status}`);
    } catch (cause) {
      if (control.signal.aborted) throw failed(`it took longer than ${timeout} ms`);
      throw cause;
    } finally {
      timer.cancel();
      open -= 1;
    }
  };
}

function credentialOf(answer: unknown): Credential {
  if (typeof answer === "object" && answer !== null) {
    if ("password" in answer && typeof answer.password === "string") return answer.password;
    // What is in it is checked where it is used, as that of every function is.
    if ("ha1" in answer) return { ha1: answer.ha1 as Exclude<Credential, string>["ha1"] };
  }
  throw failed("it answered neither a password nor HA1s");
}

function failed(what: string): SipError {
  return new SipError("SIP_CREDENTIALS_FAILED", `the credentials' service: ${what}`);
}
