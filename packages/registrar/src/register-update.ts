import { Reject, uriEquals } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { type ContactKey, hasKey, lacksKey } from "./contact-key.ts";
import type { ContactRequest } from "./contact-requests.ts";
import type { BindingEvent, BindingEventName, RemovalReason } from "./events.ts";

/** What of a REGISTER goes into each of its bindings. */
export interface RegisterFacts {
  readonly addressOfRecord: string;
  readonly callId: string;
  readonly cseq: number;
  readonly digest: number;
  readonly path: readonly string[];
  /** The way to what is reached over a flow of this node, for other nodes; none where there are none. */
  readonly nodePath: readonly string[];
  readonly userAgent: string | undefined;
  readonly attributes: Readonly<Record<string, string>> | undefined;
  /** Whose credentials it had. */
  readonly by: string | undefined;
  /** The time by the wall clock, in milliseconds. */
  readonly now: number;
}

/** What becomes of a REGISTER that would make more bindings than a user may have. */
export type WhenFull = "reject" | "replace-oldest" | "replace-unreachable";

/** By what rules bindings are changed. */
export interface UpdateRules {
  readonly maxBindings: number;
  readonly whenFull: WhenFull;
  /** Whether a REGISTER may repeat the CSeq of the one before it. */
  readonly acceptsEqualCseq: boolean;
  /** What is bound for ever: no REGISTER changes it. */
  readonly fixed: readonly Binding[];
  /** Whether nothing can be sent to a binding of a user any more, as far as is known here. */
  readonly isUnreachable: (binding: Binding, addressOfRecord: string) => boolean;
}

/** A binding that came, stayed or went. */
export type Change = readonly [name: BindingEventName, event: BindingEvent];

/** Equals no Contact's. */
const NOWHERE: Pick<Binding, "uri"> = { uri: "" };

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
  readonly #rules: UpdateRules;

  constructor(facts: RegisterFacts, contacts: "*" | readonly ContactRequest[], rules: UpdateRules) {
    this.#facts = facts;
    this.#contacts = contacts;
    this.#rules = rules;
  }

  get addressOfRecord(): string {
    return this.#facts.addressOfRecord;
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
      changes.push(["expired", { addressOfRecord: this.addressOfRecord, binding }]);
      return false;
    });
  }

  /** §10.3 step 6: a binding of another Call-ID goes; one of the same goes only when the CSeq is higher. */
  #removeAll(live: readonly Binding[], changes: Change[]): readonly Binding[] {
    for (const binding of live) {
      if (this.#isOld(binding)) throw outOfOrder();
      changes.push(this.#remove(binding, "unregistered"));
    }
    return [];
  }

  /** §10.3 step 7. `undefined`: this very REGISTER was here before. */
  #write(live: readonly Binding[], changes: Change[]): readonly Binding[] | undefined {
    const written: Written[] = [];
    const others = [...live];
    const { fixed } = this.#rules;
    for (const contact of this.#contacts as readonly ContactRequest[]) {
      if (fixed.length > 0 && fixed.some(({ uri }) => uriEquals(uri, contact.uri))) continue;
      const previous = this.#take(contact, written, others);
      if (previous === "repeated") return undefined;
      if (contact.expires > 0) written.push({ binding: this.#bind(contact), previous });
      else if (previous !== undefined) {
        changes.push(this.#remove(previous, "unregistered"));
      }
    }
    for (const { binding, previous } of written) {
      changes.push(
        previous === undefined
          ? this.#change("added", { binding })
          : this.#change("refreshed", { binding, previous }),
      );
    }
    // Who has too many already (the limit was lowered) may still refresh and remove.
    const most = Math.max(this.#rules.maxBindings, live.length);
    if (written.length + others.length > most) this.#makeRoom(written.length, others, changes);
    return [...written.map(({ binding }) => binding), ...others];
  }

  /** Takes out of `others`, which begin with the one that was refreshed last, as many as must go. */
  #makeRoom(count: number, others: Binding[], changes: Change[]): void {
    const { maxBindings, whenFull, isUnreachable } = this.#rules;
    const { addressOfRecord } = this;
    for (let at = others.length - 1; at >= 0 && count + others.length > maxBindings; at -= 1) {
      const binding = others[at] as Binding;
      if (whenFull === "reject") break;
      const isKept = whenFull === "replace-unreachable" && !isUnreachable(binding, addressOfRecord);
      if (isKept) continue;
      others.splice(at, 1);
      changes.push(this.#remove(binding, "replaced"));
    }
    if (count + others.length > maxBindings) throw new Reject(403, { reason: "Too Many Bindings" });
  }

  /** Finds the binding that a Contact is about, takes it out of its list, and gives it as it was before this REGISTER. */
  #take(
    contact: ContactRequest,
    written: Written[],
    others: Binding[],
  ): Binding | undefined | "repeated" {
    // The same Contact twice in one REGISTER: they are processed in turn, so the last one counts.
    const again = find(written, contact, ({ binding }) => binding);
    if (again >= 0) return written.splice(again, 1)[0]?.previous;
    const index = find(others, contact, (binding) => binding);
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
    const { callId, cseq } = this.#facts;
    if (binding.callId !== callId || cseq > binding.cseq) return false;
    return cseq < binding.cseq || !this.#rules.acceptsEqualCseq;
  }

  #bind({ uri, params, q, expires, flow, methods }: ContactRequest): Binding {
    const { callId, cseq, digest, userAgent, attributes, now } = this.#facts;
    const path = flow === undefined ? this.#facts.path : this.#facts.nodePath;
    const expiresAt = now + expires * 1000;
    const binding = { uri, params, q, expiresAt, callId, cseq, digest, path, flow, userAgent };
    if (methods === undefined && attributes === undefined) return binding;
    return { ...binding, ...(methods && { methods }), ...(attributes && { attributes }) };
  }

  #remove(binding: Binding, reason: RemovalReason): Change {
    return this.#change("removed", { binding, reason });
  }

  #change(name: BindingEventName, event: Omit<BindingEvent, "addressOfRecord" | "by">): Change {
    const { addressOfRecord, by } = this.#facts;
    return [name, { addressOfRecord, ...event, ...(by !== undefined && { by }) }];
  }
}

/** §10.3 step 7 names no status for an update that is aborted, but for a failed one: 500. */
function outOfOrder(): Reject {
  return new Reject(500, { reason: "CSeq Out Of Order" });
}

/** Where in a list the binding is that a Contact is about; -1: nowhere. */
function find<T>(
  list: readonly T[],
  { uri, key }: ContactRequest,
  bindingOf: (element: T) => Binding,
): number {
  if (list.length === 0) return -1;
  if (key === undefined) return findUri(list, uri, bindingOf);
  // A device has one Call-ID for all of its Contacts: an equal URI is nearer.
  const equal = key.kind === "call-id" ? findUri(list, uri, bindingOf) : -1;
  const known = equal >= 0 ? equal : list.findIndex((element) => hasKey(bindingOf(element), key));
  if (known >= 0 || key.kind === "call-id") return known;
  const others = list.map((element) => withoutKey(bindingOf(element), key));
  return findUri(others, uri, (binding) => binding);
}

/** By URI comparison, which is not transitive: what is written the same goes first. RFC 3261 §19.1.4 */
function findUri<T>(
  list: readonly T[],
  uri: string,
  bindingOf: (element: T) => Pick<Binding, "uri">,
): number {
  const same = list.findIndex((element) => bindingOf(element).uri === uri);
  return same >= 0 ? same : list.findIndex((element) => uriEquals(bindingOf(element).uri, uri));
}

/** A binding of another device is none of an equal URI: phones behind two NATs have the same. */
function withoutKey(binding: Binding, key: ContactKey): Pick<Binding, "uri"> {
  return lacksKey(binding, key) ? binding : NOWHERE;
}
