import { type ClientTransaction, type Response, type Target, targetGone } from "@sipkit/core";
import { BestResponse, ownStatus, upstreamStatus } from "./best-response.ts";
import { Branch, type BranchOwner } from "./branch.ts";
import { Expiring } from "./deadlines.ts";
import type { ContextHost, Forwarding } from "./forwarding.ts";
import { LateArrivals, type LateArrivalsOwner, newWays } from "./late-arrivals.ts";
import { sendBranch } from "./send-branch.ts";
import { forwardUpstream } from "./upstream.ts";

/** A forwarded request with its branches, until one response goes upstream. RFC 3261 §16.7 */
export class ResponseContext extends Expiring implements BranchOwner, LateArrivalsOwner {
  readonly #host: ContextHost;
  readonly #forwarding: Forwarding;
  readonly #isInvite: boolean;
  readonly #late: LateArrivals | undefined;
  readonly #active: Branch[] = [];
  #tried = 0;
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
    this.#late = forwarding.late && new LateArrivals(host, this, forwarding.late);
  }

  start(): void {
    // A signal costs: only an INVITE can be cancelled.
    if (this.#isInvite) {
      this.#forwarding.request.signal.addEventListener("abort", this);
    }
    if (this.#forwarding.groups.length > 0) this.#startGroup();
    if (!this.#isAnswered) this.#late?.start();
  }

  /** The next group is due: this one is cancelled, and ends by what its branches answer to that. */
  groupExpired(): void {
    for (const branch of [...this.#active]) branch.expire();
  }

  send(branch: Branch): ClientTransaction {
    return sendBranch(this.#host, this.#forwarding, branch);
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
      this.#stop();
    }
    this.concludeWhenOver();
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
    this.#isCancelled = true;
    this.#stop();
    this.concludeWhenOver();
  }

  /** Targets that came late: a branch to each device that isn't being tried already. RFC 8599 §5.6.2 */
  join(found: readonly Target[]): void {
    if (this.#isStopped || this.#isAnswered) return;
    const { server, groupTime } = this.#host;
    const { groups, maxTargets, maxBreadth } = this.#forwarding;
    const ways = newWays(found, this.#active, maxTargets - this.#tried, server);
    if (ways.length === 0) return;
    const used = this.#active.reduce((sum, { breadth }) => sum + breadth, 0);
    // RFC 5393 §5.3.3: of what the request was given and nobody uses, those who are still to come get as much.
    const share = Math.floor(
      (maxBreadth - used) / Math.max(ways.length, this.#late?.expected ?? 0),
    );
    if (share < 1) {
      server.count("breadthExhausted");
      return;
    }
    if (this.#isInvite && this.#nextGroup < groups.length) groupTime.set(this);
    this.#begin(ways.map((way) => new Branch(this, way, share)));
  }

  /** Answers, or tries the next group, when no branch is left and nobody is awaited. */
  concludeWhenOver(): void {
    if (this.#active.length > 0 || this.#isAnswered) return;
    this.#host.groupTime.delete(this);
    if (this.#isStopped) this.#answer();
    else if (this.#nextGroup < this.#forwarding.groups.length) this.#startGroup();
    else if (this.#late?.isAwaited !== true) this.#answer();
  }

  /** No further branch is made, and those that are there are cancelled. */
  #stop(): void {
    this.#isStopped = true;
    this.#late?.end();
    this.#cancelBranches();
  }

  #startGroup(): void {
    const { groups, maxBreadth } = this.#forwarding;
    const group = groups[this.#nextGroup] ?? [];
    this.#nextGroup += 1;
    // RFC 5393 §5.3.3: the branches of a group share what the request was given, with those that come late.
    const late = this.#late?.expected ?? 0;
    const reserved = Math.min(late, maxBreadth - group.length);
    const share = Math.floor(maxBreadth / (group.length + reserved));
    const left = reserved === 0 ? maxBreadth % group.length : 0;
    if (this.#isInvite && groups.length > 1) {
      if (this.#nextGroup > 1) this.#stillTrying();
      if (this.#nextGroup < groups.length) this.#host.groupTime.set(this);
    }
    this.#begin(group.map((to, index) => new Branch(this, to, index < left ? share + 1 : share)));
  }

  #begin(branches: readonly Branch[]): void {
    // All count before the first starts: it may fail at once.
    this.#active.push(...branches);
    this.#tried += branches.length;
    for (const branch of branches) {
      if (this.#isStopped || this.#isAnswered) this.#end(branch);
      else branch.start();
    }
    if (this.#isStopped) this.concludeWhenOver();
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
    else {
      const own = ownStatus(status, this.#isCancelled, this.#late !== undefined);
      // RFC 4320 §4.2: who could not be reached in time leaves the request without an answer. The 408 that ends it for
      // the dispatcher is never sent.
      if (own === 408 && !this.#isInvite) server.count("unansweredForwards");
      server.deliver(request.createResponse(own));
    }
  }

  #answered(): void {
    this.#isAnswered = true;
    this.#host.groupTime.delete(this);
    this.#late?.end();
    this.#best = undefined;
  }

  #forward(response: Response): void {
    forwardUpstream(this.#host.server, this.#forwarding.request, response);
  }
}
