import { setTimeout as sleep } from "node:timers/promises";
import { TestServer } from "@sipkit/core/testing";
import { type LocationStore, Registrar } from "@sipkit/registrar";
import { sampleBinding } from "@sipkit/registrar/testing";
import { expect } from "vitest";
import { eventually } from "./redis.ts";

export const ALICE: string = "sip:alice@example.com";
export const UNAVAILABLE: Readonly<Record<string, string>> = { code: "SIP_STORE_UNAVAILABLE" };

/** Registers a user once more: the CSeq is one higher than before. */
export async function refresh(
  store: LocationStore,
  user: string = ALICE,
): Promise<number | undefined> {
  const [kept] = await store.update(user, ([before]) => [
    sampleBinding(user, { cseq: (before?.cseq ?? 0) + 1 }),
  ]);
  return kept?.cseq;
}

/** A registrar's answer to a REGISTER: status, Retry-After, and what it has counted. */
export async function register(
  store: LocationStore,
  user: string = ALICE,
): Promise<readonly unknown[]> {
  const server = await TestServer.start([new Registrar({ store })]);
  const lines = [
    "REGISTER sip:example.com SIP/2.0",
    "Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK1",
    `To: <${user}>`,
    "Contact: <sip:phone@192.0.2.100>",
  ];
  const { sent } = await server.ask(`${lines.join("\r\n")}\r\n\r\n`);
  const [answer] = sent;
  const status = answer?.isRequest === false ? String(answer.status) : "none";
  return [status, answer?.headers.get("retry-after"), server.dispatcher.counters()];
}

/** Registers users again and again until it is stopped, and remembers what was acknowledged. */
export class Writers {
  /** The highest CSeq of each user. */
  readonly acknowledged: Map<string, number> = new Map();
  readonly #store: LocationStore;
  readonly #running: readonly Promise<void>[];
  #isStopped = false;

  constructor(store: LocationStore, users: readonly string[]) {
    this.#store = store;
    this.#running = users.map((user) => this.#write(user));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#running);
  }

  async #write(user: string): Promise<void> {
    while (!this.#isStopped) {
      try {
        this.acknowledged.set(user, (await refresh(this.#store, user)) ?? 0);
      } catch {
        await sleep(20);
      }
    }
  }
}

/** Fails unless a store has all users as they were acknowledged, or in a later state. */
export async function expectKept(
  store: LocationStore,
  acknowledged: ReadonlyMap<string, number>,
): Promise<void> {
  for (const [user, cseq] of acknowledged) {
    const [binding] = (await eventually(async () => store.read(user))) ?? [];
    expect(binding?.cseq, user).toBeGreaterThanOrEqual(cseq);
  }
}
