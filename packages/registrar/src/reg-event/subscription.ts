import type { ContactChange } from "./contact-changes.ts";
import type { Dialog } from "./dialog.ts";
import type { Due } from "./due-queue.ts";

/** Changes that wait to be told one by one, at most; of more the next document tells everything. */
const MAX_CHANGES = 32;

/** What a subscription is made for. */
interface Subscribed {
  readonly dialog: Dialog;
  /** Whose registrations, canonical. */
  readonly addressOfRecord: string;
  /** The Event header of its NOTIFYs. */
  readonly event: string;
  /** Who subscribed; `undefined`: a stranger. */
  readonly subscriber: string | undefined;
  /** Whether that is the user herself. */
  readonly isOwner: boolean;
}

/** Somebody who watches a user's registrations. Times are of `clock.now()`. RFC 6665 §4.2 */
export class Subscription implements Subscribed, Due {
  readonly dialog: Dialog;
  readonly addressOfRecord: string;
  readonly event: string;
  readonly subscriber: string | undefined;
  readonly isOwner: boolean;
  expiresAt = 0;
  /** No NOTIFY of changes goes out before. */
  restsUntil = 0;
  /** Whether a NOTIFY is being made, or has no answer yet. */
  isNotifying = false;
  /** Whether there is something to tell. */
  hasNews = false;
  /** Whether the next document tells of all contacts. */
  owesAll = true;
  slot = -1;
  place = -1;
  #version = 0;
  #changes = new Map<string, ContactChange>();

  constructor(about: Subscribed) {
    this.dialog = about.dialog;
    this.addressOfRecord = about.addressOfRecord;
    this.event = about.event;
    this.subscriber = about.subscriber;
    this.isOwner = about.isOwner;
  }

  /** Seconds that are left. */
  remaining(now: number): number {
    return Math.max(0, Math.ceil((this.expiresAt - now) / 1000));
  }

  /** When something must be done for it next. */
  get due(): number {
    if (!this.hasNews || this.isNotifying) return this.expiresAt;
    return Math.min(this.expiresAt, this.restsUntil);
  }

  /** Keeps the latest that became of each contact. `false`: there were too many. */
  note(changes: readonly ContactChange[]): boolean {
    this.hasNews = true;
    for (const change of changes) this.#changes.set(change.id, change);
    if (this.#changes.size <= MAX_CHANGES) return true;
    this.#changes = new Map();
    this.owesAll = true;
    return false;
  }

  /** What there is to tell, for a document of that version; nothing is, then. RFC 3680 §5.1 */
  take(): { readonly version: number; readonly changes: ReadonlyMap<string, ContactChange> } {
    const changes = this.#changes;
    const version = this.#version;
    this.#changes = new Map();
    this.#version += 1;
    this.hasNews = false;
    this.owesAll = false;
    return { version, changes };
  }
}
