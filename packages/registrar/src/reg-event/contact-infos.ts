import { Params } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { bindingId } from "../binding-id.ts";
import { deviceOf } from "../device.ts";
import type { Life } from "../life.ts";
import { withoutPush } from "../push/push-device.ts";
import { remainingSeconds } from "../remaining-seconds.ts";
import { type ContactChange, isActive } from "./contact-changes.ts";
import type { ContactEventName, ContactInfo, RegInfo } from "./reginfo.ts";

const PLAIN_VALUE = /^[\w.!%*+`'~:[\]/?$&@-]+$/;

/** What contacts are described with. */
export interface Describing {
  readonly life: Life;
  readonly addressOfRecord: string;
  /** Whether temporary GRUUs are for this reader: who sees one knows whose it is. RFC 5628 §5 */
  readonly showsTemporary: boolean;
}

/** The contacts of a document, and the state that they leave their user in. */
export type Contents = Pick<RegInfo, "registration" | "contacts">;

/** All of a user's contacts, and those that have just gone. `current`: those in force. */
export function fullContents(
  current: readonly Binding[],
  changes: ReadonlyMap<string, ContactChange>,
  about: Describing,
): Contents {
  const there = byId(current);
  const all = [...there].map(([id, binding]): ContactChange => {
    const change = changes.get(id);
    const event = change && isActive(change.event) ? change.event : eventOf(binding);
    return { id, event, binding, at: change?.at };
  });
  const gone = [...changes.values()].filter(({ id, event }) => !isActive(event) && !there.has(id));
  return contents([...all, ...gone], current.length > 0, about);
}

/** The contacts that have changed. `current`: those in force. */
export function partialContents(
  current: readonly Binding[],
  changes: ReadonlyMap<string, ContactChange>,
  about: Describing,
): Contents {
  const there = byId(current);
  const changed = [...changes.values()].map((change): ContactChange => {
    // Another process may have bound it again meanwhile.
    const left = isActive(change.event) ? undefined : there.get(change.id);
    if (left === undefined) return change;
    return { id: change.id, event: eventOf(left), binding: left, at: undefined };
  });
  return contents(changed, current.length > 0, about);
}

function byId(bindings: readonly Binding[]): ReadonlyMap<string, Binding> {
  return new Map(bindings.map((binding) => [bindingId(binding), binding]));
}

/** RFC 3680 §4.7.1: who has none has had none, unless the document tells of the last one. */
function contents(
  changes: readonly ContactChange[],
  isRegistered: boolean,
  about: Describing,
): Contents {
  const contacts = changes.map((change) => describe(change, about));
  if (isRegistered || contacts.some(({ state }) => state === "active")) {
    return { registration: "active", contacts };
  }
  return { registration: contacts.length === 0 ? "init" : "terminated", contacts };
}

function eventOf({ expiresAt }: Binding): ContactEventName {
  return expiresAt === Number.POSITIVE_INFINITY ? "created" : "registered";
}

function describe({ id, event, binding, at }: ContactChange, about: Describing): ContactInfo {
  const { server } = about.life;
  const { uri, q, callId, cseq, expiresAt, params } = binding;
  const isHere = isActive(event);
  // A static one has no REGISTER.
  const isStatic = callId === "";
  const ends = isHere && expiresAt !== Number.POSITIVE_INFINITY;
  const isNew = event === "registered" && at !== undefined;
  return {
    id,
    uri: withoutPush(uri),
    state: isHere ? "active" : "terminated",
    event,
    expires: ends ? Math.max(0, remainingSeconds(binding, server.clock.wall())) : undefined,
    duration: isNew ? Math.floor((server.clock.now() - at) / 1000) : undefined,
    q,
    callId: isStatic ? undefined : callId,
    cseq: isStatic ? undefined : cseq,
    unknownParams: unknownParams(params),
    ...(isHere && !isStatic ? gruusOf(binding, about) : NO_GRUUS),
  };
}

const NO_GRUUS = { publicGruu: undefined, temporaryGruu: undefined };

function gruusOf(
  binding: Binding,
  { life: { gruus }, addressOfRecord, showsTemporary }: Describing,
): Pick<ContactInfo, "publicGruu" | "temporaryGruu"> {
  const { instance } = deviceOf(binding);
  if (gruus === undefined || instance === undefined) return NO_GRUUS;
  return {
    publicGruu: gruus.publicOf(addressOfRecord, instance),
    temporaryGruu: showsTemporary
      ? gruus.temporaryOf(addressOfRecord, instance, binding.callId)
      : undefined,
  };
}

/** RFC 3680 §5.1: those that RFC 3261 doesn't know, push tokens apart; RFC 5628 §7 has values with their quotes. */
function unknownParams(text: string): ContactInfo["unknownParams"] {
  if (text === "") return [];
  return [...new Params(text)]
    .filter(([name]) => !/^(?:q|expires|pn-.*)$/i.test(name))
    .map(([name, value = ""]) => [
      name,
      value === "" || PLAIN_VALUE.test(value) ? value : quoted(value),
    ]);
}

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}
