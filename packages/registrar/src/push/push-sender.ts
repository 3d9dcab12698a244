import { isPromise, type Server, SipError, type Timer } from "@sipkit/core";
import { type PushDevice, pushId } from "./push-device.ts";
import type { PushNotification, PushProvider, PushSettings } from "./push-options.ts";
import { RecentIds } from "./recent-ids.ts";

/** Devices that were woken a moment ago, at most: it is remembered of each. */
const MOST_RECENT = 10_000;
/** Milliseconds that a hook may take. */
const LONGEST_HOOK = 30_000;
/** Characters of what a hook threw that are told. */
const LONGEST_TEXT = 200;

/** What is told to a push service beside which device. */
export type PushReason =
  | Pick<PushNotification & { readonly reason: "call" }, "reason" | "method" | "from" | "callId">
  | { readonly reason: "refresh" };

/** `"recent"`: the device was woken a moment ago. `"refused"`: there are too many. */
export type PushOutcome = "sent" | "recent" | "refused";

/** Calls the hooks: not too often for one device, nor for too many at once. */
export class PushSender {
  readonly #server: Server;
  readonly #settings: PushSettings;
  readonly #failed: (id: string) => void;
  readonly #recent: RecentIds;
  /** The devices whose hook has not come back yet. */
  readonly #outstanding = new Map<string, Timer>();
  /** The services that have failed since they last took a push. */
  readonly #broken = new Set<PushProvider>();

  /** `failed`: told of a device that could not be woken. */
  constructor(server: Server, settings: PushSettings, failed: (id: string) => void) {
    this.#server = server;
    this.#settings = settings;
    this.#failed = failed;
    this.#recent = new RecentIds(settings.minInterval, MOST_RECENT);
  }

  send(device: PushDevice, addressOfRecord: string, why: PushReason): PushOutcome {
    const { providers, maxOutstanding } = this.#settings;
    const { clock } = this.#server;
    const now = clock.now();
    const id = pushId(device);
    const provider = providers.get(device.provider);
    if (provider === undefined) return "refused";
    if (this.#outstanding.has(id) || this.#recent.has(id, now)) {
      this.#server.count("pushesHeldBack");
      return "recent";
    }
    if (this.#outstanding.size >= maxOutstanding || !this.#recent.hasRoom(now)) {
      this.#server.count("pushesOverLimit");
      return "refused";
    }
    this.#recent.note(id, now);
    this.#server.count("pushesSent");
    this.#call(provider, id, { ...device, provider: provider.name, addressOfRecord, ...why });
    return "sent";
  }

  close(): void {
    for (const timer of this.#outstanding.values()) timer.cancel();
    this.#outstanding.clear();
  }

  #call(provider: PushProvider, id: string, notification: PushNotification): void {
    const { clock } = this.#server;
    const timer = clock.setTimer(LONGEST_HOOK, () => {
      if (!this.#isOver(id, timer)) this.#fail(provider, id, "no answer within 30 s");
    });
    this.#outstanding.set(id, timer);
    const failed = (cause: unknown): void => {
      if (!this.#isOver(id, timer)) this.#fail(provider, id, textOf(cause, notification));
    };
    try {
      const outcome: unknown = provider.send(notification);
      if (isPromise(outcome)) outcome.then(() => this.#taken(provider, id, timer), failed);
      else this.#taken(provider, id, timer);
    } catch (cause) {
      failed(cause);
    }
  }

  #taken(provider: PushProvider, id: string, timer: Timer): void {
    if (!this.#isOver(id, timer)) this.#broken.delete(provider);
  }

  /** Whether it was too late; from now on it is. */
  #isOver(id: string, timer: Timer): boolean {
    if (this.#outstanding.get(id) !== timer) return true;
    timer.cancel();
    this.#outstanding.delete(id);
    return false;
  }

  /** The operator is told once, until the service has taken a push again. */
  #fail(provider: PushProvider, id: string, why: string): void {
    this.#server.count("pushesFailed");
    if (!this.#broken.has(provider)) {
      this.#broken.add(provider);
      this.#server.report(new SipError("SIP_PUSH", `${provider.name} took no push: ${why}`));
    }
    this.#failed(id);
  }
}

/** What was thrown, without the device's token, whichever way it is written. The error itself may hold it anywhere. */
function textOf(cause: unknown, { prid }: PushNotification): string {
  const text = cause instanceof Error ? cause.message : typeof cause;
  return text
    .replaceAll(prid, "…")
    .replaceAll(encodeURIComponent(prid), "…")
    .slice(0, LONGEST_TEXT);
}
