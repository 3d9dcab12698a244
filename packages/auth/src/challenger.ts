import type { Request, Response, Server } from "@sipkit/core";
import type { CheckedOptions } from "./authorize-options.ts";
import { longestChallenge } from "./challenge.ts";
import { Proportion } from "./proportion.ts";
import type { Realm } from "./realm.ts";
import { asProxy, type Role } from "./role.ts";
import type { TokenFault, Tokens } from "./tokens.ts";

/** What is wrong with the proof that a request has, if it has one. */
export interface Fault {
  /** Its nonce can't be used any more. */
  readonly isStale?: boolean;
  readonly token?: TokenFault;
}

/** Asks for credentials: for digests, for tokens, or for either. */
export class Challenger {
  readonly #options: CheckedOptions;
  readonly #tokens: Tokens | undefined;
  readonly #takesDigests: boolean;
  readonly #proportion: Proportion;

  constructor(options: CheckedOptions, tokens: Tokens | undefined, takesDigests: boolean) {
    this.#options = options;
    this.#tokens = tokens;
    this.#takesDigests = takesDigests;
    this.#proportion = new Proportion(
      `${asProxy.challenge}: \r\n`.length +
        Math.max(longestChallenge(options), tokens?.longest ?? 0),
    );
  }

  /**
   * Over UDP a short request gets as many of the last challenges as there is room for, since those are what every client
   * can answer, or no answer at all.
   */
  challenge(
    request: Request,
    role: Role,
    { realm, server }: { readonly realm: Realm; readonly server: Server },
    { isStale = false, token = "none" }: Fault = {},
  ): Response | "drop" {
    const digests = this.#takesDigests
      ? realm.challenges(this.#options.algorithms.of(request), isStale, server.clock.now())
      : [];
    const challenges = this.#tokens?.areTakenOf(request)
      ? this.#tokens.amid(digests, request, token)
      : digests;
    if (challenges.length === 0) return onlySecurely(request);
    for (let from = 0; from < challenges.length; from++) {
      const some = from === 0 ? challenges : challenges.slice(from);
      const response = request.createResponse(role.status, {
        stateless: true,
        headers: { [role.challenge]: some },
      });
      if (this.#proportion.allows(request, response, some.length)) return response;
    }
    server.count("tooShortToChallenge");
    return "drop";
  }
}

/** A token is all that would do, and it must not come this way. */
function onlySecurely(request: Request): Response {
  return request.createResponse(403, { stateless: true, reason: "Over TLS only" });
}
