import { type Awaitable, Request, SipError, whenKnown } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { bindingMark } from "../chosen-binding.ts";
import type { BindingEvent } from "../events.ts";
import { runDetached } from "../failures.ts";
import type { LocationStore } from "../location-store.ts";
import { hostOf } from "../served-domains.ts";
import type { UpdateOrder } from "../update-order.ts";
import { userUri } from "../user-uri.ts";
import type { UpstreamClient } from "./upstream.ts";
import type { MidLife } from "./upstream-approval.ts";
import { contactsOnLeg, named } from "./upstream-request.ts";
import { bindingContact, type UpstreamContact, userContact } from "./upstream-update.ts";

/** Removes Contacts at the other registrar when what they stand for has ended here without a REGISTER. */
export class StaleContacts {
  readonly #life: MidLife;
  readonly #store: LocationStore;
  readonly #order: UpdateOrder;
  readonly #client: UpstreamClient | undefined;

  /** `client`: who has credentials. `order`: in which a user's REGISTERs are dealt with. */
  constructor(
    life: MidLife,
    {
      store,
      order,
      client,
    }: {
      readonly store: LocationStore;
      readonly order: UpdateOrder;
      readonly client: UpstreamClient | undefined;
    },
  ) {
    this.#life = life;
    this.#store = store;
    this.#order = order;
    this.#client = client;
  }

  /** To be told of each binding that has ended. */
  readonly ended = ({ addressOfRecord, binding, reason }: BindingEvent): void => {
    // A REGISTER's own removals went there with it.
    if (reason === "unregistered" || reason === "replaced") return;
    const failed = (cause: unknown): void =>
      this.#life.server.report(
        new SipError("SIP_STORE", "a contact stays at the other registrar", { cause }),
      );
    runDetached(
      () => this.#order.run(addressOfRecord, () => this.#remove(addressOfRecord, binding)),
      failed,
    );
  };

  #remove(addressOfRecord: string, binding: Binding): Awaitable<void> {
    const { server, settings } = this.#life;
    const mark = bindingMark(binding);
    return whenKnown(this.#store.read(addressOfRecord), (kept = []) => {
      const now = server.clock.wall();
      const others = kept.filter(({ expiresAt }) => expiresAt > now);
      const isForUser = settings.mode === "aor";
      // It came back meanwhile, or another one is still there.
      if (others.some((other) => isForUser || bindingMark(other) === mark)) return;
      return this.#unregister(
        isForUser ? userContact(addressOfRecord, 0) : bindingContact(addressOfRecord, binding, 0),
        binding,
      );
    });
  }

  async #unregister(contact: UpstreamContact, { callId, cseq }: Binding): Promise<void> {
    const { server, upstream, grants, form } = this.#life;
    const { addressOfRecord, key } = contact;
    grants.delete(key);
    if (!upstream.isOpen) {
      server.count("staleContactsLeft");
      return;
    }
    const user = `<${userUri(addressOfRecord)}>`;
    const request = new Request("REGISTER", `sip:${hostOf(addressOfRecord)}`, {
      headers: {
        "Max-Forwards": "70",
        From: `${user};tag=${server.random.token()}`,
        To: user,
        // So that one that is late doesn't undo what its device has registered since.
        "Call-ID": callId,
        CSeq: `${cseq + 1} REGISTER`,
        Expires: "0",
      },
    });
    const contacts = named([contact], () => 0, form);
    const answer = await upstream.ask(request, contactsOnLeg(contacts, form, undefined), {
      ...(this.#client && { client: this.#client }),
      late: () => grants.delete(key),
    });
    if (answer !== undefined && answer.status < 300) server.count("staleContactsRemoved");
    else server.count("staleContactsLeft");
  }
}
