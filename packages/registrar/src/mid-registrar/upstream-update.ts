import { type FlowRef, identity, type Request } from "@sipkit/core";
import type { RegistrationPlan } from "../approval.ts";
import type { Binding } from "../binding.ts";
import { bindingMark } from "../chosen-binding.ts";

/**
 * What a user's devices are at the other registrar: a Contact each, one Contact together, or a Contact each that lasts no
 * longer than here, which saves it nothing.
 */
export type MidRegistrarMode = "contact" | "aor" | "mirror";

/** One Contact of a REGISTER for the other registrar. */
export interface UpstreamContact {
  /** What it is remembered by. */
  readonly key: string;
  readonly addressOfRecord: string;
  /** What it stands for; `undefined`: all bindings of the user. */
  readonly binding: Binding | undefined;
  /** When that ends here, milliseconds since 1970; 0: the Contact shall go. */
  readonly neededUntil: number;
}

/** What the other registrar would have to be told of a REGISTER. */
export interface UpstreamUpdate {
  readonly contacts: readonly UpstreamContact[];
  /**
   * Why: something is new, gone, or not proved (`"change"`), or only the time that it granted ends too soon (`"time"`).
   * `undefined`: it needn't be told.
   */
  readonly due: "change" | "time" | undefined;
}

/** How it is found out what the other registrar has to be told. */
export interface UpdateRules {
  readonly mode: MidRegistrarMode;
  /** Whether Contacts go on as they are, so that a new way to a device is a change. */
  readonly byPath: boolean;
  /** How much longer than here a Contact must last there, in milliseconds. */
  readonly margin: number;
  /** Until when a Contact lasts there; 0: not known. */
  readonly until: (key: string) => number;
}

/** A user's Contact, one for all of her bindings. */
export function userContact(addressOfRecord: string, neededUntil: number): UpstreamContact {
  return { key: addressOfRecord, addressOfRecord, binding: undefined, neededUntil };
}

/** The Contact of one binding. */
export function bindingContact(
  addressOfRecord: string,
  binding: Binding,
  neededUntil: number,
): UpstreamContact {
  const key = `${addressOfRecord}\n${bindingMark(binding)}`;
  return { key, addressOfRecord, binding, neededUntil };
}

/** Works out what the other registrar has to be told. */
export function upstreamUpdate(
  request: Request,
  plan: RegistrationPlan,
  rules: UpdateRules,
): UpstreamUpdate {
  const { mode, margin, until } = rules;
  const isProved = request.get(identity) !== undefined;
  const changes = plan.changes.filter(([name]) => name !== "expired");
  if (changes.length === 0) {
    // It asks for the bindings, which not everybody may see.
    return { contacts: [], due: isProved && mode !== "mirror" ? undefined : "change" };
  }
  const contacts =
    mode === "aor" ? [ofUser(plan)] : changes.flatMap((change) => ofChange(plan, change));
  const isRefresh = changes.every((change) => isPlainRefresh(change, isProved, rules));
  // What it has accepted before is no news, whoever of the user's devices it was for.
  const isKnown =
    isProved &&
    changes.every(isWithoutNews) &&
    contacts.every(({ key, neededUntil }) => neededUntil > 0 && until(key) > 0);
  if (!isRefresh && !(isKnown && !rules.byPath)) return { contacts, due: "change" };
  const isCovered =
    mode !== "mirror" &&
    contacts.every(({ key, neededUntil }) => until(key) >= neededUntil + margin);
  return { contacts, due: isCovered ? undefined : "time" };
}

function ofUser({ addressOfRecord, bindings }: RegistrationPlan): UpstreamContact {
  const latest = bindings.reduce((most, { expiresAt }) => Math.max(most, expiresAt), 0);
  return userContact(addressOfRecord, latest);
}

type Change = RegistrationPlan["changes"][number];

function ofChange(
  { addressOfRecord }: RegistrationPlan,
  [name, { binding, previous }]: Change,
): readonly UpstreamContact[] {
  if (name === "removed") return [bindingContact(addressOfRecord, binding, 0)];
  const kept = bindingContact(addressOfRecord, binding, binding.expiresAt);
  if (previous === undefined || isSameDevice(previous, binding)) return [kept];
  const before = bindingContact(addressOfRecord, previous, 0);
  return before.key === kept.key ? [kept] : [kept, before];
}

function isSameDevice(before: Binding, after: Binding): boolean {
  return before.uri === after.uri && before.params === after.params;
}

/** Whether the other registrar's idea of a binding would stay as it is; its own preference among others is part of it. */
function isWithoutNews([, { binding, previous }]: Change): boolean {
  return previous === undefined || previous.q === binding.q;
}

/**
 * Whether a binding stays what it is but for its time. Whoever isn't proved here must be the one whom the other registrar
 * has accepted, as far as can be seen: the same Call-ID, which only the device and those on its way know, by the same way.
 */
function isPlainRefresh(
  [, { binding, previous }]: Change,
  isProved: boolean,
  { byPath }: UpdateRules,
): boolean {
  if (previous === undefined || !isSameDevice(previous, binding) || previous.q !== binding.q) {
    return false;
  }
  if (isProved && !byPath) return true;
  return (isProved || previous.callId === binding.callId) && isSameWay(previous, binding);
}

function isSameWay(before: Binding, after: Binding): boolean {
  return isSamePlace(before.flow, after.flow) && before.path.join() === after.path.join();
}

function isSamePlace(before: FlowRef | undefined, after: FlowRef | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return (
    before.protocol === after.protocol &&
    before.local === after.local &&
    before.remote === after.remote &&
    before.connection === after.connection &&
    (before.connection === undefined || before.epoch === after.epoch)
  );
}
