import {
  type ClientTransaction,
  type DeliverOptions,
  type FlowRef,
  type Request,
  type RequestOptions,
  type Response,
  type Server,
  targetGone,
} from "@sipkit/core";
import { BestResponse, upstreamStatus } from "./best-response.ts";
import { Branch } from "./branch.ts";
import { type Deadlines, Expiring } from "./deadlines.ts";
import { copyForTarget, yieldToStrictRouter } from "./forward.ts";
import { loopBranch } from "./loop.ts";
import type { RecordRoute } from "./record-route.ts";
import type { Destination } from "./target-set.ts";

/** What all response contexts of a proxy share. */
export interface ContextHost {
  readonly server: Server;
  /** A lap of Timer C of every branch. RFC 3261 §16.6 step 11 */
  readonly timerC: Deadlines<Branch>;
  /** How many laps Timer C has: after each one our own server transaction hears that we are still at it. */
  readonly laps: number;
  /** How long a group is tried while there is another after it. */
  readonly groupTime: Deadlines<ResponseContext>;
}

/** What is forwarded, and how. */
export interface Forwarding {
  readonly request: Request;
  readonly groups: readonly (readonly Destination[])[];
  /** Whether a location service found the targets; else the sender's own Routes and request-URI stand. */
  readonly isLookedUp: boolean;
  /** To be sent. */
  readonly maxForwards: number;
  /** To be divided among the branches of a group. */
  readonly maxBreadth: number;
  readonly loopHash: string;
  /** How our own Record-Routes go on; left out when we don't stay on the path. */
  readonly recordRoute: RecordRoute | undefined;
  /** The flow that goes into a Path; left out when we put none on. RFC 5626 §5.1 */
  readonly keptFlow: FlowRef | undefined;
}

/** A forwarded request with its branches, until one response goes upstream. RFC 3261 §16.7 */
export class ResponseContext extends Expiring {
  readonly #host: ContextHost;
  readonly #forwarding: Forwarding;
  readonly #isInvite: boolean;
  readonly #upstream: DeliverOptions;
  #active: Branch[] = [];
  #nextGroup = 0;
  /** No new branch is made: a 6xx came, or a CANCEL. */
  #isStopped = false;
  #isCancelled = false;
  #isAnswered = false;
  /** Of the branches that have ended without a success; left out until one has. */
  #best: BestResponse | undefined;

  constructor(host: ContextHost, forwarding: Forwarding) {
    super();
    this.#host = host;
    this.#forwarding = forwarding;
    this.#isInvite = forwarding.request.method === "INVITE";
    this.#upstream = { answers: forwarding.request };
  }

  start(): void {
    // A signal costs: only an INVITE can be cancelled.
    if (this.#isInvite) {
      this.#forwarding.request.signal.addEventListener("abort", this);
    }
    this.#startGroup();
  }

  /** The next group is due: this one is cancelled, and ends by what its branches answer to that. */
  groupExpired(): void {
    for (const branch of [...this.#active]) branch.expire();
  }

  /** §16.6: copies the request for a branch and sends it. */
  send(branch: Branch): ClientTransaction {
    const { server, timerC } = this.#host;
    const { request, isLookedUp, maxForwards, loopHash, recordRoute } = this.#forwarding;
    const { destination } = branch;
    const { target } = destination;
    const copy = copyForTarget(request, {
      uri: destination.uri,
      maxForwards,
      maxBreadth: branch.breadth,
      keepRoutes: !isLookedUp,
    });
    const options: { -readonly [Key in keyof RequestOptions]: RequestOptions[Key] } = {
      branch: loopBranch(server.random.token(), loopHash),
      observer: branch,
    };
    if (target === undefined) {
      const strictRouter = yieldToStrictRouter(copy);
      if (strictRouter !== undefined) options.to = strictRouter;
    } else options.target = target;
    if (recordRoute !== undefined) {
      options.prepare = (prepared, leg) => recordRoute.add(prepared, leg, target?.flow);
    }
    const { keptFlow } = this.#forwarding;
    if (keptFlow !== undefined) {
      options.prepare = (prepared, leg) =>
        prepared.headers.prepend("Path", server.signPath(keptFlow, leg));
    }
    if (this.#isInvite) timerC.set(branch);
    // RFC 4320 §4.2: who sent another request has given up by then.
    else options.failoverFor = 64 * server.t1;
    return server.request(copy, options);
  }

  /** A provisional response other than 100. */
  progressed(branch: Branch, response: Response): void {
    // RFC 4320 §4.1: no provisional response but 100 to a non-INVITE.
    if (!this.#isInvite) return;
    // §16.7 step 2: Timer C starts again.
    this.#host.timerC.set(branch);
    if (!this.#isAnswered) this.#forward(response);
  }

  /** A 2xx: goes upstream at once, and what else rings is cancelled. §16.7 steps 5 and 10 */
  succeeded(branch: Branch, response: Response): void {
    this.#end(branch);
    if (this.#isAnswered) {
      if (this.#isInvite) this.#forward(response);
      return;
    }
    this.#answered();
    this.#forward(response);
    this.#cancelBranches();
  }

  /** A final response that is no success, or none at all: then its status is what that counts as. */
  failed(branch: Branch, status: number, response: Response | undefined): void {
    const { otherwise, target } = branch.destination;
    // RFC 5626 §7: who found the target must not give it again.
    if (status === 430 && target !== undefined) this.#forwarding.request.get(targetGone)?.(target);
    if (otherwise !== undefined && this.#mayGoOtherwise(branch, status, response)) {
      this.#replace(branch, new Branch(this, otherwise, branch.breadth));
      return;
    }
    this.#end(branch);
    if (this.#isAnswered) return;
    this.#consider(status, response);
    if (status >= 600) {
      // §16.7 step 5: the others are cancelled, and it goes upstream when they have ended: one may still have a 2xx.
      this.#isStopped = true;
      this.#cancelBranches();
    }
    this.#concludeWhenOver();
  }

  /** A lap of a branch's Timer C is over; after the last one the branch is. §16.8 */
  lapEnded(branch: Branch, laps: number): void {
    this.#stillTrying();
    if (laps < this.#host.laps) {
      this.#host.timerC.set(branch);
      return;
    }
    this.#host.server.count("timerCExpired");
    branch.expire();
  }

  /** The request's signal is aborted: a CANCEL, or the caller's connection is lost. §16.10 */
  handleEvent(): void {
    if (this.#isAnswered) return;
    this.#isStopped = true;
    this.#isCancelled = true;
    this.#cancelBranches();
  }

  #startGroup(): void {
    const { groups, maxBreadth } = this.#forwarding;
    const group = groups[this.#nextGroup] ?? [];
    this.#nextGroup += 1;
    // RFC 5393 §5.3.3: the branches of a group share what the request was given.
    const share = Math.floor(maxBreadth / group.length);
    const left = maxBreadth % group.length;
    const branches = group.map(
      (destination, index) => new Branch(this, destination, index < left ? share + 1 : share),
    );
    // All count before the first starts: it may fail at once.
    this.#active = [...branches];
    if (this.#isInvite && groups.length > 1) {
      if (this.#nextGroup > 1) this.#stillTrying();
      if (this.#nextGroup < groups.length) this.#host.groupTime.set(this);
    }
    for (const branch of branches) {
      if (this.#isStopped || this.#isAnswered) this.#end(branch);
      else branch.start();
    }
    if (this.#isStopped && !this.#isAnswered) this.#concludeWhenOver();
  }

  /**
   * Whether another way to the same device may be tried: it was not reached by this one, so it has not answered.
   *
   * RFC 5626 §7
   */
  #mayGoOtherwise(branch: Branch, status: number, response: Response | undefined): boolean {
    if (this.#isStopped || this.#isAnswered || branch.isCancelled) return false;
    if (status === 430) return true;
    // Who sent a non-INVITE has given up by the time that it is timed out here.
    if (status === 408) return this.#isInvite;
    return status === 503 && response === undefined;
  }

  /** Tells our own server transaction, which else takes the request for forgotten, that its answer will come. */
  #stillTrying(): void {
    if (this.#isAnswered) return;
    this.#host.server.deliver(this.#forwarding.request.createResponse(100));
  }

  #replace(branch: Branch, by: Branch): void {
    this.#host.timerC.delete(branch);
    this.#active[this.#active.indexOf(branch)] = by;
    by.start();
  }

  #end(branch: Branch): void {
    if (this.#isInvite) this.#host.timerC.delete(branch);
    const at = this.#active.indexOf(branch);
    if (at >= 0) this.#active.splice(at, 1);
  }

  #cancelBranches(): void {
    // §9.1: only an INVITE is cancelled.
    if (!this.#isInvite) return;
    for (const branch of [...this.#active]) branch.cancel();
  }

  #concludeWhenOver(): void {
    if (this.#active.length > 0 || this.#isAnswered) return;
    this.#host.groupTime.delete(this);
    if (!this.#isStopped && this.#nextGroup < this.#forwarding.groups.length) this.#startGroup();
    else this.#answer();
  }

  /** §16.7 step 4: kept when it suits better than what came before. */
  #consider(status: number, response: Response | undefined): void {
    // RFC 4320 §4.2: never a 408 to a non-INVITE.
    if (status === 408 && !this.#isInvite) return;
    this.#best ??= new BestResponse();
    this.#best.consider(status, response, this.#isCancelled);
  }

  /** §16.7 step 6: all branches have ended without a 2xx. */
  #answer(): void {
    const { request, isLookedUp } = this.#forwarding;
    const { server } = this.#host;
    const status = upstreamStatus(this.#best?.status ?? 0, isLookedUp);
    const best = this.#best?.take(status);
    this.#answered();
    if (best !== undefined) this.#forward(best);
    else if (status !== 0) {
      const own = status === 408 && this.#isCancelled ? 487 : status;
      server.deliver(request.createResponse(own));
    } else if (this.#isInvite) {
      server.deliver(request.createResponse(this.#isCancelled ? 487 : 408));
    } else {
      // RFC 4320 §4.2: who could not be reached in time leaves the request without an answer. The 408 that ends it for
      // the dispatcher is never sent.
      server.count("unansweredForwards");
      server.deliver(request.createResponse(408));
    }
  }

  #answered(): void {
    this.#isAnswered = true;
    this.#host.groupTime.delete(this);
    this.#best = undefined;
  }

  /** §16.7 steps 3 and 9. */
  #forward(response: Response): void {
    const { request } = this.#forwarding;
    const { headers } = response;
    headers.shift("via");
    // Deviation: §16.7 step 3 takes a response without a further Via for one that is meant for us and drops it. Phones
    // exist whose 487 repeats the Vias of the CANCEL, which are ours alone (Net::SIP), and their caller would wait for
    // ever. The transaction has told whose response it is, so the Vias of the request are put back.
    if (!headers.has("via")) {
      for (const via of request.headers.getAll("via").toReversed()) headers.prepend("via", via);
    }
    this.#host.server.deliver(response, this.#upstream);
  }
}
