import {
  dialogRoute,
  type Identity,
  identity,
  type Leg,
  type Outcome,
  Reject,
  type Request,
  type Response,
  type Server,
  whenKnown,
} from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { hasGr } from "../gruu.ts";
import type { Life } from "../life.ts";
import { refuseUnknownExtensions } from "../option-tags.ts";
import { readBindings } from "../read-bindings.ts";
import { userUri } from "../user-uri.ts";
import { contactOf, Dialog, dialogKey } from "./dialog.ts";
import { asksForReg, eventOf, PACKAGE } from "./event-header.ts";
import type { Notifier } from "./notifier.ts";
import type { RegEventsSettings } from "./options.ts";
import { secondsOf } from "./subscribe-terms.ts";
import { Subscription } from "./subscription.ts";

const ALLOW_EVENTS = { "Allow-Events": PACKAGE };
const NO_EXTENSIONS: ReadonlySet<string> = new Set();
/** Seconds after which a server that is full may have room. */
const RETRY_AFTER = "60";

/** Who may subscribe, as it turned out. */
interface Subscriber {
  /** `undefined`: a stranger. */
  readonly name: string | undefined;
  readonly isOwner: boolean;
}

/** Answers SUBSCRIBE. RFC 6665 §4.2.1, RFC 3680 §4.6 */
export class Subscribers {
  readonly #server: Server;
  readonly #life: () => Life;
  readonly #settings: RegEventsSettings;
  readonly #notifier: Notifier;

  constructor(server: Server, life: () => Life, settings: RegEventsSettings, notifier: Notifier) {
    this.#server = server;
    this.#life = life;
    this.#settings = settings;
    this.#notifier = notifier;
  }

  answer(request: Request, leg: Leg): Outcome {
    // A dialog that goes through this server has its end elsewhere.
    if (request.get(dialogRoute) !== undefined) return undefined;
    const { toTag } = request;
    if (toTag !== undefined) return this.#within(request, leg, dialogKey(request, toTag));
    const user = this.#userOf(request);
    if (user === undefined) return undefined;
    if (!asksForReg(request.headers)) {
      return this.#settings.otherEvents === "refuse" ? badEvent(request) : undefined;
    }
    return this.#permitted(request, user, (subscriber) =>
      this.#open(request, leg, user, subscriber),
    );
  }

  #within(request: Request, leg: Leg, dialog: string): Outcome {
    const { headers, uri } = request;
    const subscription = this.#notifier.subscriptions.find(dialog);
    const isForUs = asksForReg(headers);
    if (subscription === undefined) {
      if (!isForUs || !(this.#server.isLocal(uri) || this.#userOf(request))) return undefined;
      return request.createResponse(481, { stateless: true });
    }
    if (!isForUs) return badEvent(request);
    return this.#permitted(request, subscription.addressOfRecord, ({ name }) => {
      if (name !== subscription.subscriber) return this.#forbidden(request);
      return this.#refresh(request, leg, subscription);
    });
  }

  #open(request: Request, leg: Leg, user: string, { name, isOwner }: Subscriber): Outcome {
    const { subscriptions } = this.#notifier;
    const event = eventOf(request.headers);
    const seconds = this.#seconds(request);
    const ok = accepted(request, leg, seconds);
    const dialog = new Dialog(request, ok, this.#server, name === undefined);
    const about = { dialog, addressOfRecord: user, event, subscriber: name, isOwner };
    const subscription = new Subscription(about);
    return this.#read(user, (stored) => {
      const known = subscriptions.find(dialog.key);
      if (known === undefined) {
        if (seconds > 0) this.#refuseExcess(user);
        return this.#settle(subscription, seconds, ok, stored);
      }
      // The same request once more, which no transaction remembers: to him it means the same.
      if (known.subscriber === name && known.addressOfRecord === user) {
        return this.#settle(known, seconds, ok, stored);
      }
      // RFC 3261 §8.2.2.2
      return request.createResponse(482);
    });
  }

  #refresh(request: Request, leg: Leg, subscription: Subscription): Outcome {
    const { dialog, addressOfRecord } = subscription;
    if (eventOf(request.headers) !== subscription.event) {
      // RFC 6665 §4.5.2
      return request.createResponse(403, { reason: "Dialog Sharing Not Supported" });
    }
    const seconds = this.#seconds(request);
    const way = dialog.wayOf(request, this.#server);
    if (!dialog.takes(request)) {
      return request.createResponse(500, { reason: "CSeq Out Of Order" });
    }
    return this.#read(addressOfRecord, (stored) => {
      if (!this.#notifier.subscriptions.has(subscription)) return request.createResponse(481);
      this.#notifier.moved(subscription, way);
      return this.#settle(subscription, seconds, accepted(request, leg, seconds), stored);
    });
  }

  /** The 200, and the NOTIFY that follows it. RFC 6665 §4.2.1.2 */
  #settle(
    subscription: Subscription,
    seconds: number,
    ok: Response,
    stored: readonly Binding[],
  ): Outcome {
    this.#server.deliver(ok);
    if (seconds === 0) this.#notifier.tellLast(subscription, stored);
    else {
      this.#notifier.keep(subscription, seconds);
      this.#notifier.tellAll(subscription, stored);
    }
    return "later";
  }

  /** Reads a user's bindings in a turn between two changes of them: no change is missed, and none told twice. */
  #read(user: string, next: (stored: readonly Binding[]) => Outcome): Outcome {
    const life = this.#life();
    return life.order.run<Awaited<Outcome>>(user, () =>
      readBindings(life, user, (stored = []) => next(stored)),
    );
  }

  #permitted(request: Request, user: string, next: (subscriber: Subscriber) => Outcome): Outcome {
    const who = request.get(identity);
    const name = who && `${who.realm}\n${who.user}`;
    const go = (isOwner: boolean): Outcome =>
      refuseUnknownExtensions(request, NO_EXTENSIONS) ?? next({ name, isOwner });
    if (who !== undefined && this.#isOwner(who, user)) return go(true);
    const may = this.#settings.maySubscribe(request, who, this.#server, user);
    return whenKnown(
      may,
      (known): Outcome =>
        // Whatever isn't true, also from untyped code, is no.
        known === true ? go(false) : this.#forbidden(request),
    );
  }

  #isOwner(who: Identity, user: string): boolean {
    return this.#life().domains.addressOfRecord(userUri(who.addressOfRecord)) === user;
  }

  #forbidden(request: Request): Response {
    this.#server.count("regEventsRefused");
    // A stranger's leaves nothing.
    return request.createResponse(403, { stateless: request.get(identity) === undefined });
  }

  #seconds(request: Request): number {
    try {
      return secondsOf(request, this.#settings);
    } catch (error) {
      if (error instanceof Reject && error.status === 423) this.#server.count("regEventsTooBrief");
      throw error;
    }
  }

  /** Throws a `Reject` where there is no room for one more. */
  #refuseExcess(user: string): void {
    const { subscriptions } = this.#notifier;
    const { maxSubscriptions, maxPerUser } = this.#settings;
    const ofUser = subscriptions.to(user)?.size ?? 0;
    if (ofUser < maxPerUser && subscriptions.size < maxSubscriptions) return;
    this.#server.count("regEventsOverLimit");
    if (ofUser >= maxPerUser) throw new Reject(403, { reason: "Too Many Subscriptions" });
    throw new Reject(503, { headers: { "Retry-After": RETRY_AFTER } });
  }

  /** The user of ours whom a request is for; one of her devices alone has no registrations to watch. RFC 3680 §4.9 */
  #userOf({ uri }: Request): string | undefined {
    return hasGr(uri) ? undefined : this.#life().domains.addressOfRecord(uri);
  }
}

function accepted(request: Request, leg: Leg, seconds: number): Response {
  const headers = { Expires: String(seconds), Contact: contactOf(request, leg), ...ALLOW_EVENTS };
  return request.createResponse(200, { headers });
}

/** RFC 6665 §8.3.2 */
function badEvent(request: Request): Response {
  return request.createResponse(489, { headers: ALLOW_EVENTS });
}
