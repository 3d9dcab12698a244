import { detach } from "../message/detach.ts";
import type { Response } from "../message/response.ts";

/** Tells a 2xx to an INVITE that comes again from one of another dialog, for those who listen. RFC 3261 §13.2.2.4 */
export class SeenAnswers {
  /** The To of the last one, by what it belongs to: goes with that. */
  readonly #last = new WeakMap<object, string>();

  /** Whether the last 2xx that was seen by this owner was of the same dialog. */
  isRepeated(owner: object, response: Response): boolean {
    const { status, headers } = response;
    // As text: a handler may have broken the header, and that is told elsewhere.
    if (status < 200 || status >= 300 || !/\sINVITE$/.test(headers.get("cseq") ?? "")) return false;
    const to = headers.get("to") ?? "";
    if (this.#last.get(owner) === to) return true;
    this.#last.set(owner, detach(to));
    return false;
  }
}
