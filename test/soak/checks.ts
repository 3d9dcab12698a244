import type { VirtualMessage, VirtualNetwork, VirtualNode } from "@sipkit/core/testing";
import type { LocationStore } from "@sipkit/registrar";
import type { Ledger } from "./ledger.ts";
import type { SoakPhone } from "./phone.ts";

/** Statuses that are answered without state, so that each retransmission of a request gets an answer made anew. */
const STATELESS: ReadonlySet<number> = new Set([400, 401, 403, 407, 481]);
/** Timer B and F, with what rounding adds. */
const TIMEOUT = 32_001;

/** Which life of a node something at an address and time belongs to. */
export type LifeAt = (address: string, at: number) => number;

/** Every request had one end, and in time at each place. RFC 3261 §17.1 */
export function checkEnds(ledger: Ledger, isAlive: (life: number) => boolean): void {
  for (const entry of ledger.entries) {
    const { phone, life, method, callId, at, endedAt, hadProvisional, places } = entry;
    const what = `${phone}: ${method} ${callId} of ${at} ms`;
    if (endedAt === undefined) {
      if (isAlive(life)) ledger.violate(`${what} never ended`);
    } else if ((method !== "INVITE" || !hadProvisional) && endedAt - at > places * TIMEOUT) {
      ledger.violate(`${what} ended after ${endedAt - at} ms`);
    }
  }
}

/** A request is answered at most once in each transaction: what is sent again is the same. RFC 3261 §17.2 */
export function checkAnswers(log: readonly VirtualMessage[], lifeAt: LifeAt, ledger: Ledger): void {
  const answers = new Map<string, VirtualMessage[]>();
  for (const message of log) {
    if (!message.wire.startsWith("SIP/2.0 ")) continue;
    const status = statusOf(message);
    // A server that isn't ready, or is full, keeps nothing of what it refuses: it may serve the retransmission.
    if (status < 200 || status === 503) continue;
    const key = transactionOf(message, lifeAt);
    const before = answers.get(key);
    if (before === undefined) answers.set(key, [message]);
    else if (before.every(({ wire }) => wire !== message.wire)) before.push(message);
  }
  for (const [key, different] of answers) {
    if (different.length > 1 && !mayDiffer(different)) {
      const what = different.map(
        ({ at, wire }) => `${wire.slice(8, wire.indexOf("\r\n"))} at ${at}`,
      );
      ledger.violate(`answered more than once: ${key}: ${what.join(", ")}`);
    }
  }
}

function mayDiffer(answers: readonly VirtualMessage[]): boolean {
  const statuses = new Set(answers.map(statusOf));
  const [status = 0] = statuses;
  // A stateless answer is made anew, and says the same.
  if (statuses.size === 1 && STATELESS.has(status)) return true;
  // Several devices may take a call: each 2xx has its own To tag. RFC 3261 §13.2.2.4
  const isInvite = answers.every(({ packet }) => packet.cseq.method === "INVITE");
  const tags = new Set(answers.map(({ packet }) => packet.to.tag));
  return isInvite && [...statuses].every((one) => one < 300) && tags.size === answers.length;
}

function transactionOf(message: VirtualMessage, lifeAt: LifeAt): string {
  const { packet, from, at } = message;
  const via = packet.topmostVia;
  return `${from}#${lifeAt(from, at)} ${packet.cseq.method} ${via?.sentBy} ${via?.branch}`;
}

function statusOf({ wire }: VirtualMessage): number {
  return Number(wire.slice(8, 11));
}

/** What was acknowledged is there, and what was refused is not. */
export async function checkBindings(
  net: VirtualNetwork,
  stores: ReadonlyMap<string, LocationStore>,
  ledger: Ledger,
): Promise<void> {
  const now = net.clock.wall();
  for (const [uri, { home, addressOfRecord, until }] of ledger.acknowledged) {
    if (until <= now) {
      ledger.acknowledged.delete(uri);
      continue;
    }
    const bindings = (await stores.get(home)?.read(addressOfRecord)) ?? [];
    if (!bindings.some((binding) => binding.uri === uri && binding.expiresAt >= until)) {
      ledger.violate(
        `${addressOfRecord} at ${uri} was acknowledged until ${until} and is not there at ${now} (${net.clock.now()} ms)`,
      );
      ledger.acknowledged.delete(uri);
    }
  }
}

/** No contact of a REGISTER that was refused is anywhere. */
export async function checkRefused(
  stores: ReadonlyMap<string, LocationStore>,
  users: readonly string[],
  ledger: Ledger,
): Promise<void> {
  for (const [home, store] of stores) {
    for (const user of users) {
      for (const { uri } of (await store.read(user)) ?? []) {
        if (ledger.refused.has(uri))
          ledger.violate(`${home} has the binding ${uri} of a refused REGISTER`);
      }
    }
  }
}

/** A dialog has two sides, unless one of them died, or a BYE was lost for good. RFC 3261 §12, §15 */
export function checkDialogs(
  phones: readonly VirtualNode<SoakPhone>[],
  startedAt: (phone: string) => number,
  ledger: Ledger,
): void {
  const alive = phones.filter(({ isRunning }) => isRunning);
  const sides = new Map<
    string,
    { readonly phone: string; readonly since: number; readonly callId: string }[]
  >();
  for (const { name, app } of alive) {
    for (const { key, since, callId } of app.dialogs.values()) {
      const others = sides.get(key) ?? [];
      others.push({ phone: name, since, callId });
      sides.set(key, others);
    }
  }
  for (const [key, both] of sides) {
    const [side] = both;
    if (both.length === 2 || side === undefined || ledger.unconfirmedByes.has(side.callId))
      continue;
    // Who died since may have been the other side.
    const someDied = phones.some(
      ({ name, isRunning }) => !isRunning || startedAt(name) > side.since,
    );
    if (!someDied)
      ledger.violate(`${side.phone} alone believes in the dialog ${key} of ${side.since} ms`);
  }
}
