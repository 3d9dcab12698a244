import {
  type Awaitable,
  canonicalHost,
  type FlowRef,
  type Outcome,
  type Request,
  type Response,
  type SipUri,
  whenKnown,
} from "@sipkit/core";
import { type ApprovalTerms, isRefusal } from "./approval.ts";
import type { Binding } from "./binding.ts";
import { chanceOf } from "./chance.ts";
import { type ContactReader, type ContactRequest, readContacts } from "./contact-requests.ts";
import { mapFailure } from "./failures.ts";
import { hasGr } from "./gruu.ts";
import type { Life } from "./life.ts";
import { refuseUnknownExtensions } from "./option-tags.ts";
import { wakeable } from "./push/push-options.ts";
import { isLost } from "./reachability.ts";
import { readBindings } from "./read-bindings.ts";
import { RegisterAnswers } from "./register-answers.ts";
import { nodePathOf, readFacts, senderOf } from "./register-facts.ts";
import { RegisterUpdate, type UpdateRules } from "./register-update.ts";
import { hostOf } from "./served-domains.ts";

const NO_PATH: readonly string[] = Object.freeze([]);

/** Answers REGISTER. RFC 3261 §10.3 */
export class Registrations {
  readonly #life: Life;
  readonly #answers: RegisterAnswers;
  readonly #extensions: ReadonlySet<string>;
  readonly #reader: ContactReader;
  /** Of a user without static bindings. */
  readonly #rules: UpdateRules;

  constructor(life: Life) {
    const { server, settings, gruus, pings } = life;
    this.#life = life;
    this.#answers = new RegisterAnswers(settings.answers, gruus);
    this.#extensions = new Set([
      ...(settings.path === "off" ? [] : ["path"]),
      ...(settings.contacts.outbound === "off" ? [] : ["outbound"]),
      ...(gruus === undefined ? [] : ["gruu"]),
    ]);
    this.#reader = {
      chance: () => chanceOf(server.random),
      leadsBack: (user, uri, text, flow) => this.#leadsBack(user, uri, text, flow),
    };
    this.#rules = {
      maxBindings: settings.maxBindings,
      whenFull: settings.whenFull,
      acceptsEqualCseq: settings.acceptsEqualCseq,
      fixed: [],
      isUnreachable: (binding, addressOfRecord) =>
        wakeable(binding, settings.push) === undefined &&
        (isLost(binding, server) || (pings?.isUnreachable(addressOfRecord, binding) ?? false)),
    };
  }

  answer(request: Request): Outcome {
    const { domains, failures } = this.#life;
    // §10.3 step 1: another domain is the proxy's to forward to.
    if (!domains.covers(request.uri)) return undefined;
    // Step 2. Steps 3 and 4, who it is and whether she may, are the authenticator's, before us.
    const refused = refuseUnknownExtensions(request, this.#extensions);
    if (refused !== undefined) return refused;
    // Step 5: whose bindings, in canonical form, and do they belong to the domain that was asked?
    const addressOfRecord = domains.addressOfRecord(request.to.uri);
    if (addressOfRecord === undefined) {
      // §10.2: an address-of-record is a SIP or SIPS URI. RFC 4475 §3.3.4
      if (!/^sips?:/i.test(request.to.uri)) {
        return request.createResponse(400, { reason: "To Is No SIP URI" });
      }
      return domains.leavesOthers(request.uri) ? undefined : request.createResponse(404);
    }
    if (!domains.belongs(addressOfRecord, request.uri)) return request.createResponse(404);
    // Step 6: no Contact, nothing changes.
    const isFetch = !request.headers.has("contact");
    return this.#life.order.run<Awaited<Outcome>>(addressOfRecord, () =>
      isFetch
        ? readBindings(this.#life, addressOfRecord, (bindings = []) =>
            this.#fetch(request, addressOfRecord, bindings),
          )
        : mapFailure(() => this.#update(request, addressOfRecord), failures.ofUpdate),
    );
  }

  #fetch(request: Request, addressOfRecord: string, bindings: readonly Binding[]): Outcome {
    const { approve } = this.#life.settings;
    const ok = (terms?: ApprovalTerms): Response =>
      this.#ok(request, addressOfRecord, bindings, false, terms);
    if (approve === undefined) return ok();
    const asked = approve(request, { addressOfRecord, changes: [], bindings });
    return whenKnown(asked, (terms): Outcome => (isRefusal(terms) ? terms : ok(terms)));
  }

  /** Steps 6 and 7: all or nothing. A store that fails throws, which is answered 500. */
  #update(request: Request, addressOfRecord: string): Awaitable<Response> {
    const { server, settings, fixed } = this.#life;
    const { path, attributes } = settings;
    const sender = senderOf(request, server, path);
    const about = { addressOfRecord, sender };
    const nodePath = settings.nodePath && sender ? nodePathOf(sender, server) : NO_PATH;
    const contacts = readContacts(request, settings.contacts, about, this.#reader);
    const rulesOfFacts = { path, nodePath, attributes };
    const facts = readFacts(request, addressOfRecord, server.clock.wall(), rulesOfFacts);
    const always = fixed.of(addressOfRecord);
    const rules = always.length === 0 ? this.#rules : { ...this.#rules, fixed: always };
    const update = new RegisterUpdate(facts, contacts, rules);
    if (settings.approve === undefined) return this.#commit(request, update, contacts);
    return this.#approved(request, update, (terms) => {
      const granted = shortened(contacts, terms?.maxExpires);
      return this.#commit(request, new RegisterUpdate(facts, granted, rules), granted, terms);
    });
  }

  /** Works out what a REGISTER would do, and goes on when that is approved. */
  #approved(
    request: Request,
    update: RegisterUpdate,
    next: (terms: ApprovalTerms | undefined) => Awaitable<Response>,
  ): Awaitable<Response> {
    const { settings, store } = this.#life;
    const { addressOfRecord } = update;
    return whenKnown(store.read(addressOfRecord), (kept = []) => {
      const bindings = update.apply(kept);
      const plan = { addressOfRecord, changes: update.changes, bindings };
      return whenKnown(settings.approve?.(request, plan), (terms) =>
        isRefusal(terms) ? terms : next(terms),
      );
    });
  }

  #commit(
    request: Request,
    update: RegisterUpdate,
    contacts: "*" | readonly ContactRequest[],
    terms?: ApprovalTerms,
  ): Awaitable<Response> {
    const { addressOfRecord } = update;
    const kept = this.#life.store.update(addressOfRecord, (bindings) => update.apply(bindings));
    return whenKnown(kept, (bindings) =>
      this.#committed(request, update, contacts, bindings, terms),
    );
  }

  #committed(
    request: Request,
    update: RegisterUpdate,
    contacts: "*" | readonly ContactRequest[],
    bindings: readonly Binding[],
    terms: ApprovalTerms | undefined,
  ): Response {
    const { timer, failures, tell } = this.#life;
    failures.storeIsBack();
    for (const [name, event] of update.changes) tell(name, event);
    if (update.changes.length > 0) {
      for (const binding of bindings) timer.arm(binding.expiresAt);
    }
    const hasFlow = contacts !== "*" && contacts.some(({ key }) => key?.kind === "flow");
    return this.#ok(request, update.addressOfRecord, bindings, hasFlow, terms);
  }

  #ok(
    request: Request,
    addressOfRecord: string,
    stored: readonly Binding[],
    hasFlow: boolean,
    terms: ApprovalTerms | undefined,
  ): Response {
    const { server, fixed } = this.#life;
    const bindings = fixed.withStored(addressOfRecord, stored);
    const response = this.#answers.ok(request, {
      addressOfRecord,
      bindings,
      hasFlow,
      now: server.clock.wall(),
    });
    for (const [name, value] of terms?.headers ?? []) response.headers.append(name, value);
    return response;
  }

  /** RFC 5627 §5.1: a Contact that is the address-of-record, or a GRUU of ours, would lead a call in a circle. */
  #leadsBack(
    addressOfRecord: string,
    { host, headers }: SipUri,
    uri: string,
    flow: FlowRef | undefined,
  ): boolean {
    // What goes over a flow goes to the device, unless it is written like a user of ours.
    if (flow !== undefined && canonicalHost(host) !== hostOf(addressOfRecord)) return false;
    // RFC 3261 §19.1.4: a URI with headers is another one than that without.
    if (headers !== "") return false;
    const { domains, gruus } = this.#life;
    const named = domains.addressOfRecord(uri);
    if (named === undefined) return false;
    return named === addressOfRecord || (gruus !== undefined && hasGr(uri));
  }
}

function shortened(
  contacts: "*" | readonly ContactRequest[],
  most: number | undefined,
): "*" | readonly ContactRequest[] {
  if (contacts === "*" || most === undefined) return contacts;
  return contacts.map((each) => (each.expires > most ? { ...each, expires: most } : each));
}
