import { type Request, type Response, require } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { remainingSeconds } from "./binding-targets.ts";
import { DateText } from "./date-text.ts";

/** The extensions that a REGISTER may require. RFC 3327 */
const SUPPORTED: ReadonlySet<string> = new Set(["path"]);

/** The 420 to a REGISTER that requires an extension we don't have, else `undefined`. RFC 3261 §8.2.2.3, §10.3 step 2 */
export function refuseUnknownExtensions(request: Request): Response | undefined {
  const { headers } = request;
  if (!headers.has("require")) return undefined;
  const unknown = headers.readAll(require).filter((tag) => !SUPPORTED.has(tag.toLowerCase()));
  if (unknown.length === 0) return undefined;
  return request.createResponse(420, { headers: { Unsupported: unknown.join(", ") } });
}

/** Answers to REGISTER. */
export class RegisterAnswers {
  readonly #date = new DateText();

  /** The 200 with every binding in force. `now` by the wall clock. RFC 3261 §10.3 step 8 */
  ok(request: Request, bindings: readonly Binding[], now: number): Response {
    const headers: [name: string, value: string][] = [];
    for (const binding of bindings) {
      if (binding.expiresAt <= now) continue;
      const expires = remainingSeconds(binding, now);
      headers.push(["Contact", `<${binding.uri}>${binding.params};expires=${expires}`]);
    }
    if (request.headers.has("path") && supportsPath(request)) {
      // RFC 3327 §5.3: the phone sees which way it will be reached.
      for (const hop of request.headers.getAll("path")) headers.push(["Path", hop]);
    }
    headers.push(["Date", this.#date.at(now)]);
    const response = request.createResponse(200, { headers });
    // §10.3: ignored in the request, never in a response.
    if (request.headers.has("record-route")) response.headers.delete("record-route");
    return response;
  }
}

function supportsPath(request: Request): boolean {
  return request.headers.getAll("supported").some((tag) => tag.toLowerCase() === "path");
}
