import type { LateTargets, LateTargetsObserver, Server, Target } from "@sipkit/core";
import type { Branch } from "./branch.ts";
import { Expiring } from "./deadlines.ts";
import type { ContextHost } from "./forwarding.ts";
import { type Destination, deviceKey, targetGroups } from "./target-set.ts";

/** Whose request waits for targets. */
export interface LateArrivalsOwner {
  /** Makes branches of targets that have come. */
  join(targets: readonly Target[]): void;
  /** Nobody is awaited any more. */
  concludeWhenOver(): void;
}

/**
 * The targets of a request that come while it is on its way, or is held for them.
 *
 * RFC 8599 §5.6.2
 */
export class LateArrivals extends Expiring implements LateTargetsObserver {
  /** How many devices may still come. */
  expected: number;
  readonly #host: ContextHost;
  readonly #owner: LateArrivalsOwner;
  readonly #source: LateTargets;
  #isAwaited = true;
  #isOver = false;
  #unwatch: (() => void) | undefined;

  constructor(host: ContextHost, owner: LateArrivalsOwner, source: LateTargets) {
    super();
    this.#host = host;
    this.#owner = owner;
    this.#source = source;
    this.expected = source.expected;
  }

  /** Whether the request has to wait, though no branch of it is left. */
  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  start(): void {
    this.#host.holdTime.set(this);
    const unwatch = this.#source.watch(this);
    if (this.#isOver) unwatch();
    else this.#unwatch = unwatch;
  }

  found(targets: readonly Target[]): void {
    if (this.#isOver) return;
    this.#owner.join(targets);
    this.expected = Math.max(0, this.expected - 1);
  }

  settled(): void {
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    this.#host.holdTime.delete(this);
    this.#owner.concludeWhenOver();
  }

  /** Who wakes the devices has forgotten to say that none comes. */
  overdue(): void {
    this.#host.server.count("lateTargetsOverdue");
    this.settled();
  }

  /** The request has its answer, or was cancelled. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isAwaited = false;
    this.#host.holdTime.delete(this);
    this.#unwatch?.();
  }
}

/**
 * Of the targets that came late those that a branch is to be made for. A device that is tried at the same place gets no
 * second branch, nor does one that rings already: it would take it for a loop (482).
 */
export function newWays(
  found: readonly Target[],
  active: readonly Branch[],
  most: number,
  server: Pick<Server, "count">,
): readonly Destination[] {
  if (most < 1) {
    server.count("targetsLeftOut");
    return [];
  }
  const [ways = []] = targetGroups(found, "parallel", most, server);
  return ways.filter(({ target }) => {
    if (target === undefined) return false;
    return !active.some((branch) => {
      const tried = branch.destination.target;
      if (tried === undefined || deviceKey(tried) !== deviceKey(target)) return false;
      return branch.hasProgressed || isSameWay(tried, target);
    });
  });
}

function isSameWay(some: Target, other: Target): boolean {
  const { uri, flow } = some;
  return (
    uri === other.uri &&
    flow?.remote === other.flow?.remote &&
    flow?.local === other.flow?.local &&
    flow?.connection === other.flow?.connection
  );
}
