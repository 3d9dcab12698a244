/** One request that a phone has sent. */
export interface Entry {
  readonly phone: string;
  /** The phone's life, numbered over all phones. */
  readonly life: number;
  readonly method: string;
  readonly callId: string;
  readonly at: number;
  /** How many places it may be sent to, one after another. RFC 3263 §4.3 */
  readonly places: number;
  endedAt: number | undefined;
  /** The final status, or the code of the error. */
  outcome: number | string | undefined;
  hadProvisional: boolean;
}

/** A registration that was acknowledged to a phone. */
export interface Acknowledged {
  readonly life: number;
  readonly home: string;
  readonly addressOfRecord: string;
  readonly uri: string;
  /** Wall-clock time until which it was promised at least. */
  readonly until: number;
}

/** What all lives of all phones know together: what the invariants are checked against. */
export class Ledger {
  readonly entries: Entry[] = [];
  /** Acknowledged registrations, by the URI of the contact. */
  readonly acknowledged: Map<string, Acknowledged> = new Map();
  /** Contacts that only ever came in REGISTERs which were refused. */
  readonly refused: Set<string> = new Set();
  /** Calls of which somebody's BYE was not confirmed: the other side may believe in them for ever. RFC 3261 §15.1.1 */
  readonly unconfirmedByes: Set<string> = new Set();
  /** What went wrong, in words. */
  readonly violations: string[] = [];
  /** How often a server's store was lost. */
  readonly storeLosses: Map<string, number> = new Map();
  /** How often what happened, for the summary. */
  readonly counts: Map<string, number> = new Map();

  open(about: Pick<Entry, "phone" | "life" | "method" | "callId" | "at" | "places">): Entry {
    const entry: Entry = {
      ...about,
      endedAt: undefined,
      outcome: undefined,
      hadProvisional: false,
    };
    this.entries.push(entry);
    return entry;
  }

  close(entry: Entry, at: number, outcome: number | string): void {
    if (entry.endedAt !== undefined) {
      this.violate(`${entry.phone}: ${entry.method} ${entry.callId} ended twice: ${outcome}`);
    }
    entry.endedAt = at;
    entry.outcome = outcome;
    this.count(`${entry.method} ${outcome}`);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  violate(what: string): void {
    if (this.violations.length < 20) this.violations.push(what);
  }

  /** A server crashed whose store was in its memory: what it had acknowledged is gone with it. */
  storeLost(home: string): void {
    this.storeLosses.set(home, this.lossesOf(home) + 1);
    for (const [uri, { home: at }] of this.acknowledged) {
      if (at === home) this.acknowledged.delete(uri);
    }
  }

  lossesOf(home: string): number {
    return this.storeLosses.get(home) ?? 0;
  }
}
