import { type ClientObserver, type Server, SipError, whenKnown } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import type { BindingEvent, BindingEventName } from "../events.ts";
import { runDetached } from "../failures.ts";
import type { Life } from "../life.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { changesOf } from "./contact-changes.ts";
import type { Way } from "./dialog.ts";
import { documentFor } from "./document.ts";
import { DueQueue } from "./due-queue.ts";
import type { RegEventsSettings } from "./options.ts";
import { REGINFO } from "./reginfo.ts";
import type { Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscriptions.ts";

/**
 * Answers to a NOTIFY that end the subscription. RFC 6665 §4.2.2; RFC 3261 §12.2.1.2 for 408
 */
const ENDING: ReadonlySet<number> = new Set([
  404, 405, 408, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
]);

/** How an ended subscription is called. RFC 6665 §4.1.3 */
const TIMED_OUT = "terminated;reason=timeout";
const DEACTIVATED = "terminated;reason=deactivated";

/** Tells subscribers of registrations: everything at first, then what has changed, one NOTIFY at a time. RFC 6665 §4.2.2 */
export class Notifier {
  readonly subscriptions: Subscriptions = new Subscriptions();
  readonly #server: Server;
  readonly #life: () => Life;
  readonly #settings: RegEventsSettings;
  readonly #queue: DueQueue<Subscription>;

  constructor(server: Server, life: () => Life, settings: RegEventsSettings) {
    this.#server = server;
    this.#life = life;
    this.#settings = settings;
    this.#queue = new DueQueue(server.clock, (subscription) => this.#act(subscription));
  }

  /** Takes a subscription in, or gives one that is in another time to live; seconds. */
  keep(subscription: Subscription, expires: number): void {
    subscription.expiresAt = this.#server.clock.now() + expires * 1000;
    if (!this.subscriptions.has(subscription)) this.subscriptions.add(subscription);
    this.#queue.set(subscription, subscription.due);
  }

  /** The subscriber says where he is now. */
  moved(subscription: Subscription, way: Way | undefined): void {
    if (way === undefined) return;
    this.subscriptions.delete(subscription);
    subscription.dialog.way = way;
    this.subscriptions.add(subscription);
  }

  /** Tells all of a user's contacts, `stored` and configured, at once. RFC 3680 §4.3 */
  tellAll(subscription: Subscription, stored: readonly Binding[]): void {
    subscription.owesAll = true;
    subscription.hasNews = true;
    if (!subscription.isNotifying) this.#tell(subscription, stored);
    // Who hasn't answered the last NOTIFY is told as soon as he has.
    else subscription.restsUntil = 0;
  }

  /** The last NOTIFY of a subscription, with all contacts: of one that was ended, or that only asks. RFC 6665 §4.4.3 */
  tellLast(subscription: Subscription, stored: readonly Binding[]): void {
    this.forget(subscription);
    subscription.owesAll = true;
    this.#send(subscription, TIMED_OUT, this.#document(subscription, stored));
  }

  /** What became of a binding. */
  changed(name: BindingEventName, event: BindingEvent): void {
    const watching = this.subscriptions.to(event.addressOfRecord);
    if (watching === undefined) return;
    const changes = changesOf(name, event, this.#server.clock.now());
    for (const subscription of watching) {
      if (!subscription.note(changes)) this.#server.count("regEventsTooManyChanges");
      this.#queue.set(subscription, subscription.due);
    }
  }

  /** Forgets a subscription without a word. */
  forget(subscription: Subscription): void {
    if (!this.subscriptions.has(subscription)) return;
    this.subscriptions.delete(subscription);
    this.#queue.delete(subscription);
  }

  connectionClosed(connection: number): void {
    for (const subscription of this.subscriptions.over(connection) ?? []) this.#lose(subscription);
  }

  /** Tells everybody, once, that this server watches nothing for them any more. RFC 6665 §4.4.2 */
  close(): void {
    for (const subscription of this.subscriptions) {
      const headers = { Event: subscription.event, "Subscription-State": DEACTIVATED };
      const [request, options] = subscription.dialog.notify(headers);
      this.forget(subscription);
      // Nobody is there any more to repeat it, or to hear that it failed.
      this.#server.deliver(request, { ...options, failed: () => undefined });
    }
    this.#queue.stop();
  }

  #act(subscription: Subscription): void {
    if (subscription.expiresAt <= this.#server.clock.now()) {
      this.forget(subscription);
      this.#send(subscription, TIMED_OUT);
      return;
    }
    subscription.isNotifying = true;
    this.#queue.set(subscription, subscription.due);
    const { addressOfRecord } = subscription;
    const failed = (cause: unknown): void => this.#readFailed(subscription, cause);
    runDetached(
      () =>
        whenKnown(this.#life().store.read(addressOfRecord), (stored = []) => {
          if (this.subscriptions.has(subscription)) this.#tell(subscription, stored);
        }),
      failed,
    );
  }

  /** What there is to tell waits. */
  #readFailed(subscription: Subscription, cause: unknown): void {
    const { failures } = this.#life();
    if (cause instanceof StoreUnavailable) failures.reportAway(cause);
    else this.#server.report(new SipError("SIP_STORE", "registrations can't be read", { cause }));
    this.#pause(subscription);
    this.#goOn(subscription);
  }

  #tell(subscription: Subscription, stored: readonly Binding[]): void {
    subscription.isNotifying = true;
    this.#pause(subscription);
    this.#queue.set(subscription, subscription.due);
    const body = this.#document(subscription, stored);
    const seconds = subscription.remaining(this.#server.clock.now());
    this.#send(subscription, `active;expires=${seconds}`, body);
  }

  /** RFC 3680 §4.10 */
  #pause(subscription: Subscription): void {
    subscription.restsUntil = this.#server.clock.now() + this.#settings.interval;
  }

  /** The last NOTIFY is done with. */
  #goOn(subscription: Subscription): void {
    subscription.isNotifying = false;
    if (!this.subscriptions.has(subscription)) return;
    this.#queue.set(subscription, subscription.due);
  }

  #document(subscription: Subscription, stored: readonly Binding[]): string {
    const { body, leftOut } = documentFor(
      subscription,
      stored,
      this.#life(),
      this.#settings.maxBody,
    );
    for (let i = 0; i < leftOut; i++) this.#server.count("regEventsContactsLeftOut");
    return body;
  }

  #send(subscription: Subscription, state: string, body?: string): void {
    const headers = {
      Event: subscription.event,
      "Subscription-State": state,
      ...(body !== undefined && { "Content-Type": REGINFO }),
    };
    const { dialog } = subscription;
    const { way } = dialog;
    const [request, options] = dialog.notify(headers, body);
    const observer: ClientObserver = {
      response: ({ status }) => {
        if (status >= 200) this.#answered(subscription, status);
      },
      failed: (error) => {
        const isOurs = error.code === "SIP_NO_TRANSACTION";
        // Who has moved meanwhile couldn't hear it.
        this.#failed(subscription, isOurs || dialog.way !== way);
      },
    };
    this.#server.request(request, { ...options, observer });
  }

  #answered(subscription: Subscription, status: number): void {
    if (!this.subscriptions.has(subscription)) return;
    if (ENDING.has(status)) this.#lose(subscription);
    else {
      // What wasn't understood is told again with the next change.
      if (status >= 300) subscription.owesAll = true;
      this.#goOn(subscription);
    }
  }

  /** RFC 6665 §4.2.2: who doesn't answer has gone. */
  #failed(subscription: Subscription, mayBeThere: boolean): void {
    if (!this.subscriptions.has(subscription)) return;
    if (!mayBeThere) {
      this.#lose(subscription);
      return;
    }
    subscription.owesAll = true;
    subscription.hasNews = true;
    this.#goOn(subscription);
  }

  #lose(subscription: Subscription): void {
    this.#server.count("regEventsSubscribersLost");
    this.forget(subscription);
  }
}
