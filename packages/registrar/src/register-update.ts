import { Reject, uriEquals } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import type { ContactRequest } from "./contact-requests.ts";
import type { BindingEvent, BindingEventName } from "./events.ts";

/** What of a REGISTER goes into each of its bindings. */
export interface RegisterFacts {
  readonly addressOfRecord: string;
  readonly callId: string;
  readonly cseq: number;
  readonly digest: number;
  readonly path: readonly string[];
  readonly userAgent: string | undefined;
  /** The time by the wall clock, in milliseconds. */
  readonly now: number;
}

/** A binding that came, stayed or went. */
export type Change = readonly [name: BindingEventName, event: BindingEvent];

interface Written {
  readonly binding: Binding;
  readonly previous: Binding | undefined;
}

/**
 * One REGISTER's effect on the bindings of its address-of-record: `apply` works it out and has no effect itself, so a
 * store may run it again. It throws a `Reject` where the whole REGISTER fails; then nothing is changed.
 *
 * RFC 3261 §10.3 steps 6 and 7
 */
export class RegisterUpdate {
  /** What the last run of `apply` changed. */
  changes: readonly Change[] = [];
  readonly #facts: RegisterFacts;
  readonly #contacts: "*" | readonly ContactRequest[];
  readonly #maxBindings: number;

  constructor(
    facts: RegisterFacts,
    contacts: "*" | readonly ContactRequest[],
    maxBindings: number,
  ) {
    this.#facts = facts;
    this.#contacts = contacts;
    this.#maxBindings = maxBindings;
  }

  apply(kept: readonly Binding[]): readonly Binding[] {
    this.changes = [];
    const changes: Change[] = [];
    const live = this.#dropExpired(kept, changes);
    const after =
      this.#contacts === "*" ? this.#removeAll(live, changes) : this.#write(live, changes);
    if (after === undefined || changes.length === 0) return kept;
    this.changes = changes;
    return after;
  }

  /** A store may keep what is over until it is told: it counts no more. */
  #dropExpired(kept: readonly Binding[], changes: Change[]): readonly Binding[] {
    const { now } = this.#facts;
    if (kept.every((binding) => binding.expiresAt > now)) return kept;
    return kept.filter((binding) => {
      if (binding.expiresAt > now) return true;
      changes.push(this.#change("expired", binding));
      return false;
    });
  }

  /** §10.3 step 6: a binding of another Call-ID goes; one of the same goes only when the CSeq is higher. */
  #removeAll(live: readonly Binding[], changes: Change[]): readonly Binding[] {
    for (const binding of live) {
      if (this.#isOld(binding)) throw outOfOrder();
      changes.push(this.#change("removed", binding));
    }
    return [];
  }

  /** §10.3 step 7. `undefined`: this very REGISTER was here before. */
  #write(live: readonly Binding[], changes: Change[]): readonly Binding[] | undefined {
    const written: Written[] = [];
    const others = [...live];
    for (const contact of this.#contacts as readonly ContactRequest[]) {
      const previous = this.#take(contact, written, others);
      if (previous === "repeated") return undefined;
      if (contact.expires > 0) written.push({ binding: this.#bind(contact), previous });
      else if (previous !== undefined) changes.push(this.#change("removed", previous));
    }
    for (const { binding, previous } of written) {
      changes.push(
        previous === undefined
          ? this.#change("added", binding)
          : this.#change("refreshed", binding, previous),
      );
    }
    const after = [...written.map(({ binding }) => binding), ...others];
    // Who has too many already (the limit was lowered) may still refresh and remove.
    if (after.length > this.#maxBindings && after.length > live.length) {
      throw new Reject(403, { reason: "Too Many Bindings" });
    }
    return after;
  }

  /** Finds the binding that a Contact is about, takes it out of its list, and gives it as it was before this REGISTER. */
  #take(
    contact: ContactRequest,
    written: Written[],
    others: Binding[],
  ): Binding | undefined | "repeated" {
    // The same Contact twice in one REGISTER: they are processed in turn, so the last one counts.
    const again = find(written, contact.uri, ({ binding }) => binding.uri);
    if (again >= 0) return written.splice(again, 1)[0]?.previous;
    const index = find(others, contact.uri, (binding) => binding.uri);
    const binding = others[index];
    if (binding === undefined) return undefined;
    if (this.#isOld(binding)) {
      // The very message again, after its transaction was forgotten: the same answer, and no other effect.
      if (binding.cseq === this.#facts.cseq && binding.digest === this.#facts.digest)
        return "repeated";
      throw outOfOrder();
    }
    others.splice(index, 1);
    return binding;
  }

  /** The same Call-ID, and a CSeq that isn't higher. */
  #isOld(binding: Binding): boolean {
    return binding.callId === this.#facts.callId && this.#facts.cseq <= binding.cseq;
  }

  #bind({ uri, params, q, expires, flow }: ContactRequest): Binding {
    const { callId, cseq, digest, path, userAgent, now } = this.#facts;
    const expiresAt = now + expires * 1000;
    return { uri, params, q, expiresAt, callId, cseq, digest, path, flow, userAgent };
  }

  #change(name: BindingEventName, binding: Binding, previous?: Binding): Change {
    const { addressOfRecord } = this.#facts;
    return [
      name,
      previous === undefined
        ? { addressOfRecord, binding }
        : { addressOfRecord, binding, previous },
    ];
  }
}

/** §10.3 step 7 names no status for an update that is aborted, but for a failed one: 500. */
function outOfOrder(): Reject {
  return new Reject(500, { reason: "CSeq Out Of Order" });
}

/** By URI comparison, which is not transitive: what is written the same goes first. RFC 3261 §19.1.4 */
function find<T>(list: readonly T[], uri: string, uriOf: (element: T) => string): number {
  const same = list.findIndex((element) => uriOf(element) === uri);
  return same >= 0 ? same : list.findIndex((element) => uriEquals(uriOf(element), uri));
}
