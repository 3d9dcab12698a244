import { type Awaitable, SipError, type Timer, whenKnown } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { chanceOf } from "../chance.ts";
import { runDetached } from "../failures.ts";
import type { Life } from "../life.ts";
import type { LostFlows } from "../lost-flows.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import type { Ping } from "./ping.ts";
import type { PingStates } from "./ping-states.ts";
import { type PingOutcomes, PingsUnderWay } from "./pings-under-way.ts";
import { isQualified } from "./qualify-bindings.ts";
import type { QualifySettings } from "./qualify-options.ts";
import { QualifyPace } from "./qualify-pace.ts";
import { QualifyWalk } from "./qualify-walk.ts";

/** Milliseconds until a store that failed is asked again. */
const RETRY = 1000;
const FLOW_FAILED = 430;

interface Due {
  readonly addressOfRecord: string;
  readonly binding: Binding;
}

/**
 * Pings bindings, to learn whether they are still reached and to keep NATs open to them. It goes through the store's pages
 * at an even pace, a few users a step, with one timer: what isn't under way costs nothing but what is known of it.
 */
export class Qualifier implements PingOutcomes {
  readonly #life: Life;
  readonly #lost: LostFlows;
  readonly #settings: QualifySettings;
  readonly #states: PingStates;
  readonly #walk: QualifyWalk;
  readonly #pace: QualifyPace;
  readonly #underWay: PingsUnderWay;
  /** The rest of a page, the next one last. */
  #due: Due[] = [];
  #isLastPage = false;
  #isHeldBack = false;
  #isDraining = false;
  #isClosed = false;
  #timer: Timer | undefined;
  /** How many there were when the timer was set. */
  #users = 0;
  #walkEndedAt: number;
  /** When the next walk may begin. */
  #notBefore = 0;

  constructor(life: Life, lost: LostFlows, settings: QualifySettings, states: PingStates) {
    const { server, store } = life;
    const now = server.clock.now();
    this.#life = life;
    this.#lost = lost;
    this.#settings = settings;
    this.#states = states;
    this.#walk = new QualifyWalk(store);
    this.#pace = new QualifyPace({ ...settings, chance: () => chanceOf(server.random) }, now);
    this.#underWay = new PingsUnderWay(server, settings, this);
    this.#walkEndedAt = now;
    this.#arm();
  }

  counts(): { readonly reachable: number; readonly unreachable: number; readonly pings: number } {
    return {
      reachable: this.#states.tally("reachable"),
      unreachable: this.#states.tally("unreachable"),
      pings: this.#underWay.size,
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#due = [];
    this.#underWay.close();
    this.#states.clear();
  }

  answered({ addressOfRecord, binding, begun, sentAt }: Ping, status: number): void {
    if (status === FLOW_FAILED) {
      this.#states.withdraw(begun);
      this.#drop(addressOfRecord, binding);
      return;
    }
    const roundTripTime = this.#life.server.clock.now() - sentAt;
    if (!this.#states.answered(begun, roundTripTime)) return;
    this.#life.announce("reachable", { addressOfRecord, binding, roundTripTime });
  }

  unanswered({ addressOfRecord, binding, begun }: Ping): void {
    const { server, announce } = this.#life;
    server.count("unansweredPings");
    const change = this.#states.unanswered(begun);
    if (change === "not yet") return;
    if (change === "now") announce("unreachable", { addressOfRecord, binding });
    if (this.#settings.whenUnreachable === "remove") this.#drop(addressOfRecord, binding);
  }

  withdrawn({ begun }: Ping): void {
    this.#states.withdraw(begun);
  }

  room(): void {
    if (this.#isHeldBack) this.#drain();
  }

  #step(): Awaitable<void> {
    const now = this.#life.server.clock.now();
    return whenKnown(this.#walk.recount(now), () => {
      if (this.#isClosed) return;
      const turns = now < this.#notBefore ? 0 : this.#pace.take(now, this.#users);
      if (turns > 0) return this.#takePage(turns);
      this.#arm();
    });
  }

  #takePage(turns: number): Awaitable<void> {
    return whenKnown(this.#walk.next(turns), ({ users, isLast }) => {
      if (this.#isClosed) return;
      this.#pace.giveBack(turns - users.length);
      this.#isLastPage = isLast;
      this.#due = users
        .flatMap(({ addressOfRecord, bindings }) =>
          bindings.map((binding) => ({ addressOfRecord, binding })),
        )
        .reverse();
      this.#drain();
    });
  }

  /** Pings what is left of the page. Where too many pings are under way, it goes on when one of them has ended. */
  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    while (this.#due.length > 0 && !this.#underWay.isFull) this.#tryPing(this.#due.pop() as Due);
    this.#isDraining = false;
    const isFirst = !this.#isHeldBack;
    this.#isHeldBack = this.#due.length > 0;
    if (this.#isHeldBack) {
      if (isFirst) this.#life.server.count("pingsHeldBack");
      return;
    }
    if (this.#isLastPage) this.#endWalk();
    this.#arm();
  }

  /** A store may have what no REGISTER of ours wrote: a Contact that is no URI. The others go on. */
  #tryPing(due: Due): void {
    try {
      this.#ping(due);
    } catch (cause) {
      const { server } = this.#life;
      server.report(new SipError("SIP_STORE", "a binding can't be pinged", { cause }));
    }
  }

  #ping({ addressOfRecord, binding }: Due): void {
    const { server, settings } = this.#life;
    if (!isQualified(binding, this.#settings, settings, server)) return;
    const begun = this.#states.begin(addressOfRecord, binding);
    if (begun === undefined) return;
    if (begun.ping === 0) server.count("forgottenPings");
    this.#underWay.send({ addressOfRecord, binding, begun });
  }

  #endWalk(): void {
    const now = this.#life.server.clock.now();
    const { interval, jitter } = this.#settings;
    if (this.#walk.foundFew) {
      // It was in a hurry for users who aren't there.
      const began = Math.max(this.#walkEndedAt, this.#notBefore);
      this.#notBefore = began + interval * (1 - jitter);
      this.#pace.rest(now);
    }
    this.#walkEndedAt = now;
    this.#walk.ended();
    this.#states.walkEnded();
  }

  /** Sets the timer for the next step, or for a time when there may be one. */
  #arm(least = 0): void {
    if (this.#isClosed) return;
    this.#users = this.#walk.users;
    const { clock } = this.#life.server;
    const now = clock.now();
    const delay = this.#pace.delay(this.#users, now);
    const wait = Math.max(least, delay, Math.ceil(this.#notBefore - now));
    const step = (): void =>
      runDetached(
        () => this.#step(),
        (cause) => this.#failed(cause),
      );
    this.#timer = clock.setTimer(wait, step);
  }

  #failed(cause: unknown): void {
    if (this.#isClosed) return;
    const { server, failures } = this.#life;
    if (cause instanceof StoreUnavailable) failures.reportAway(cause);
    else server.report(new SipError("SIP_STORE", "pings could not go on", { cause }));
    this.#walk.failed(cause);
    this.#arm(RETRY);
  }

  /** Unless its device has registered again meanwhile. */
  #drop(addressOfRecord: string, { uri, callId, cseq }: Binding): void {
    this.#lost.drop(
      addressOfRecord,
      (each) => each.uri === uri && each.callId === callId && each.cseq === cseq,
    );
  }
}
