import { SipError, type Timer, whenKnown } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { recover } from "../failures.ts";
import type { Life } from "../life.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { type PushSettings, wakeable } from "./push-options.ts";
import type { PushSender } from "./push-sender.ts";
import { RefreshIndex, SLOT } from "./refresh-index.ts";

/** Users that one turn of the event loop looks at. */
const BATCH = 200;
/** Milliseconds to the next turn, where there are more. */
const PAUSE = 50;
/** Milliseconds until a store that failed, or pushes that were too many, are tried again. */
const RETRY = 1000;
/** Of the time before the end at which a device is first woken, the part in which it is left alone. */
const TOO_LATE = 1 / 4;

/**
 * Wakes devices before their bindings end, so that they register again: once `refreshBefore`, then each time that half of
 * what was left is over, twice or thrice in all.
 *
 * RFC 8599 §5.5
 */
export class Refreshes {
  readonly #life: Life;
  readonly #settings: PushSettings;
  readonly #sender: PushSender;
  readonly #isForAll: boolean;
  readonly #index: RefreshIndex;
  #timer: Timer | undefined;
  #isClosed = false;
  /** The operator knows that the store fails. */
  #hasTold = false;

  constructor(life: Life, settings: PushSettings, sender: PushSender) {
    this.#life = life;
    this.#settings = settings;
    this.#sender = sender;
    this.#index = new RefreshIndex(settings.maxRefreshed);
    const { refreshes = life.settings.nodePath ? "own" : "all" } = settings;
    this.#isForAll = refreshes === "all";
  }

  /** A store that outlives the process has bindings that nobody has told of. */
  start(): void {
    if (this.#settings.refreshBefore > 0) this.#fill(undefined);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** A binding of a device that we can have woken has come, or was refreshed. */
  note(addressOfRecord: string, binding: Binding): void {
    const { refreshBefore } = this.#settings;
    if (refreshBefore === 0 || !this.#isOurs(binding)) return;
    this.#add(addressOfRecord, binding.expiresAt - refreshBefore * 1000);
  }

  #add(addressOfRecord: string, due: number): void {
    if (this.#index.add(addressOfRecord, due)) this.#arm(SLOT);
    else this.#life.server.count("refreshesLeftOut");
  }

  #arm(delay: number): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = this.#life.server.clock.setTimer(delay, () => {
      this.#timer = undefined;
      this.#run();
    });
  }

  #run(): void {
    const { server } = this.#life;
    const due = this.#index.take(server.clock.wall(), BATCH);
    for (const addressOfRecord of due) this.#look(addressOfRecord);
    if (this.#index.size > 0) this.#arm(due.length < BATCH ? SLOT : PAUSE);
  }

  #look(addressOfRecord: string): void {
    const { store, server } = this.#life;
    void recover<void>(
      () =>
        whenKnown(store.read(addressOfRecord), (bindings = []) => {
          this.#hasTold = false;
          const next = Math.min(...bindings.map((each) => this.#wake(addressOfRecord, each)));
          if (next !== Number.POSITIVE_INFINITY) this.#add(addressOfRecord, next);
        }),
      (cause) => {
        this.#tell(cause);
        this.#add(addressOfRecord, server.clock.wall() + RETRY);
      },
    );
  }

  /** Wakes a binding's device if it is time, and gives when it is to be looked at again. */
  #wake(addressOfRecord: string, binding: Binding): number {
    const device = wakeable(binding, this.#settings);
    const { expiresAt } = binding;
    const now = this.#life.server.clock.wall();
    const left = expiresAt - now;
    if (device === undefined || left <= 0 || !this.#isOurs(binding))
      return Number.POSITIVE_INFINITY;
    const before = this.#settings.refreshBefore * 1000;
    if (left > before + SLOT) return expiresAt - before;
    if (left < before * TOO_LATE) return Number.POSITIVE_INFINITY;
    const outcome = this.#sender.send(device, addressOfRecord, { reason: "refresh" });
    return outcome === "refused" ? now + RETRY : expiresAt - left / 2;
  }

  /** Whether this node is the one that refreshes a binding: where it registered, as far as that is known. */
  #isOurs({ flow }: Binding): boolean {
    return this.#isForAll || flow === undefined || flow.node === this.#life.server.node;
  }

  #fill(after: string | undefined): void {
    if (this.#isClosed) return;
    const { store, server } = this.#life;
    const { clock } = server;
    void recover<void>(
      () =>
        whenKnown(store.list({ after, limit: BATCH }), ({ users, next }) => {
          for (const { addressOfRecord, bindings } of users) {
            for (const binding of bindings) {
              if (wakeable(binding, this.#settings)) this.note(addressOfRecord, binding);
            }
          }
          if (next !== undefined) clock.setTimer(PAUSE, () => this.#fill(next));
        }),
      (cause) => {
        this.#tell(cause);
        clock.setTimer(RETRY, () => this.#fill(after));
      },
    );
  }

  #tell(cause: unknown): void {
    const { server, failures } = this.#life;
    if (cause instanceof StoreUnavailable) failures.reportAway(cause);
    if (cause instanceof StoreUnavailable || this.#hasTold) return;
    this.#hasTold = true;
    server.report(new SipError("SIP_STORE", "the location store can't be read", { cause }));
  }
}
