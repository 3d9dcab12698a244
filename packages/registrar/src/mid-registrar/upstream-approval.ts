import { type Awaitable, identity, type Request, type Response, type Server } from "@sipkit/core";
import type { ApprovalTerms, RegistrationPlan } from "../approval.ts";
import type { Grants } from "./grants.ts";
import type { MidRegistrarSettings } from "./mid-registrar-options.ts";
import type { Upstream } from "./upstream.ts";
import {
  authenticationInfoOf,
  grantedSeconds,
  isUnavailable,
  refusalOf,
  wantedSeconds,
} from "./upstream-answer.ts";
import {
  type ContactForm,
  contactsOnLeg,
  named,
  nextMaxForwards,
  type SentContact,
  upstreamCopy,
} from "./upstream-request.ts";
import {
  type UpdateRules,
  type UpstreamContact,
  type UpstreamUpdate,
  upstreamUpdate,
} from "./upstream-update.ts";

type Terms = Response | ApprovalTerms | undefined;

/** What a mid-registrar's parts share between `start` and `close`. */
export interface MidLife {
  readonly server: Server;
  readonly settings: MidRegistrarSettings;
  readonly upstream: Upstream;
  readonly grants: Grants;
  readonly form: ContactForm;
}

/** Has REGISTERs approved by the other registrar, or says by itself that it needn't be asked. */
export class UpstreamApproval {
  readonly #life: MidLife;
  readonly #rules: UpdateRules;
  /** Seconds; what the other registrar wants at least, once it has said so. */
  #outgoingExpires: number;

  constructor(life: MidLife) {
    const { mode, byPath, margin, outgoingExpires } = life.settings;
    this.#life = life;
    this.#rules = { mode, byPath, margin, until: (key) => life.grants.until(key) };
    this.#outgoingExpires = outgoingExpires;
  }

  approve(request: Request, plan: RegistrationPlan): Awaitable<Terms> {
    const { server, settings, upstream } = this.#life;
    const update = upstreamUpdate(request, plan, this.#rules);
    if (update.due === undefined) {
      server.count("registrationsAbsorbed");
      return undefined;
    }
    // Who takes our word must not be asked for what nobody has proved.
    if (settings.client === "none" && request.get(identity) === undefined) {
      server.count("registrationsNotProved");
      return request.createResponse(403);
    }
    if (nextMaxForwards(request) < 0) return request.createResponse(483);
    return upstream.isOpen ? this.#forward(request, update) : this.#without(request, update);
  }

  async #forward(request: Request, update: UpstreamUpdate): Promise<Terms> {
    const { server, settings, upstream, form } = this.#life;
    const sentAt = server.clock.wall();
    const contacts = named(update.contacts, (each) => this.#secondsFor(each, sentAt), form);
    server.count("registrationsForwarded");
    const response = await upstream.ask(
      upstreamCopy(request, contacts, form),
      contactsOnLeg(contacts, form, request),
    );
    if (response === undefined) return this.#without(request, update);
    if (response.status < 300) return this.#accepted(contacts, response, sentAt);
    const isAbsorbed = update.due === "time" && settings.absorbsWhenDown;
    if (isAbsorbed && isUnavailable(response)) return this.#without(request, update);
    return this.#refused(request, response);
  }

  /** The other registrar is down, or has too much to do. */
  #without(request: Request, { due }: UpstreamUpdate): Terms {
    const { server, settings } = this.#life;
    if (due === "time" && settings.absorbsWhenDown) {
      server.count("registrationsKeptWhileDown");
      return undefined;
    }
    server.count("registrationsWithoutUpstream");
    const headers = { "Retry-After": String(settings.retryAfter) };
    return request.createResponse(503, { headers });
  }

  #refused(request: Request, response: Response): Response {
    const { server } = this.#life;
    const { status } = response;
    const isChallenge = status === 401 || status === 407;
    if (isChallenge) server.count("registrationsChallengedUpstream");
    else server.count("registrationsRefusedUpstream");
    if (status === 423) {
      this.#outgoingExpires = Math.max(this.#outgoingExpires, wantedSeconds(response) ?? 0);
    }
    const answer = refusalOf(request, response);
    if (answer !== undefined) return answer;
    server.count("challengesTooLong");
    return request.createResponse(400, { reason: "Too Short To Challenge" });
  }

  /** Nothing lasts longer here than there. */
  #accepted(
    contacts: readonly SentContact[],
    response: Response,
    sentAt: number,
  ): ApprovalTerms | undefined {
    const { grants, form } = this.#life;
    const headers = authenticationInfoOf(response);
    let least = Number.POSITIVE_INFINITY;
    for (const contact of contacts) {
      const { key, seconds } = contact;
      const granted = seconds === 0 ? 0 : grantedSeconds(response, contact, form.byPath);
      if (granted === 0) {
        // Gone, or not as we know it: the next refresh tells.
        grants.delete(key);
        continue;
      }
      least = Math.min(least, granted);
      grants.set(key, sentAt + granted * 1000 * (1 - this.#chance()), sentAt);
    }
    return { headers, maxExpires: least === Number.POSITIVE_INFINITY ? undefined : least };
  }

  #secondsFor({ neededUntil }: UpstreamContact, now: number): number {
    const needed = Math.ceil((neededUntil - now) / 1000);
    return this.#rules.mode === "mirror" ? needed : Math.max(this.#outgoingExpires, needed);
  }

  /** The part of what was granted that is ignored. */
  #chance(): number {
    const { server, settings } = this.#life;
    const [a = 0, b = 0] = server.random.bytes(2);
    return (settings.outgoingJitter * (a * 256 + b)) / 65_536;
  }
}
