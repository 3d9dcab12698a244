import type { Leg } from "../arrival.ts";
import type { Clock } from "../clock.ts";
import type { Request } from "../message/request.ts";
import type { HopPolicy } from "../resolve/hop-policy.ts";
import type { NextHop } from "../resolve/resolver.ts";
import { refusedHopChannel } from "../trace/refused-hop-channel.ts";

/** What a check needs of its dispatcher. */
export interface HopCheckHost {
  readonly clock: Clock;
  readonly node: string;
  count(name: string): void;
}

/** Asks the policy, and tells of what it refuses. */
export class HopCheck {
  readonly #host: HopCheckHost;
  readonly #mayReach: HopPolicy;

  constructor(host: HopCheckHost, mayReach: HopPolicy) {
    this.#host = host;
    this.#mayReach = mayReach;
  }

  allows(hop: NextHop, request: Request, leg: Leg): boolean {
    if (this.#mayReach(hop, request, leg)) return true;
    const { clock, node } = this.#host;
    this.#host.count("refusedHops");
    if (refusedHopChannel.hasSubscribers) {
      refusedHopChannel.publish({ at: clock.now(), node, request, hop, leg });
    }
    return false;
  }
}
