import type { LateTargets, LateTargetsObserver, Request, Target } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import type { BindingEvent, BindingEventName } from "../events.ts";
import type { Life } from "../life.ts";
import { isLost, isOwnConnection } from "../reachability.ts";
import { HeldRequests } from "./held-requests.ts";
import { type PushDevice, pushId, pushParams, withoutPush } from "./push-device.ts";
import { type PushSettings, wakeable } from "./push-options.ts";
import { type PushReason, PushSender } from "./push-sender.ts";
import { RecentIds } from "./recent-ids.ts";
import { Refreshes } from "./refreshes.ts";

/** Devices that registered a moment ago and count as awake, at most. */
const MOST_AWAKE = 100_000;

/** The bindings that a request is for, by whether it can go there at once. */
export interface Sorted {
  readonly awake: readonly Binding[];
  /** To be woken; some of them may be tried at once beside. */
  readonly asleep: readonly Binding[];
}

const NOBODY: readonly Binding[] = Object.freeze([]);
const NOTHING = (): void => undefined;

/** Wakes devices for requests, and before their bindings end. RFC 8599 */
export class Push {
  readonly #life: Life;
  readonly #settings: PushSettings;
  readonly #sender: PushSender;
  readonly #held: HeldRequests;
  readonly #refreshes: Refreshes;
  readonly #awake: RecentIds;

  constructor(life: Life, settings: PushSettings) {
    const { server, store } = life;
    this.#life = life;
    this.#settings = settings;
    this.#sender = new PushSender(server, settings, (id) => this.#held.gone(id));
    this.#held = new HeldRequests(server, {
      ...settings,
      ...(life.settings.nodePath ? { read: (user) => store.read(user) } : {}),
    });
    this.#refreshes = new Refreshes(life, settings, this.#sender);
    this.#awake = new RecentIds(settings.awakeFor, MOST_AWAKE);
  }

  start(): void {
    this.#refreshes.start();
  }

  close(): void {
    this.#sender.close();
    this.#held.close();
    this.#refreshes.close();
  }

  /** To be told of what becomes of each binding. */
  note(name: BindingEventName, { addressOfRecord, binding, previous }: BindingEvent): void {
    const device = wakeable(binding, this.#settings);
    const isBound = name === "added" || name === "refreshed";
    if (device !== undefined && isBound) {
      this.#awake.note(pushId(device), this.#life.server.clock.now());
      this.#refreshes.note(addressOfRecord, binding);
    }
    // A device that asks for push no more has come all the same.
    if (isBound) this.#held.arrived(addressOfRecord, binding, previous);
    // Whose binding has only ended may be on his way: he was woken before.
    else if (device !== undefined && name === "removed") {
      this.#held.gone(pushId(device), addressOfRecord);
    }
  }

  /** RFC 8599 §5.6.2: what opens a dialog or stands alone wakes the device, unless it is known to be awake. */
  sort(request: Request, bindings: readonly Binding[]): Sorted {
    if (!this.#settings.methods.has(request.method) || request.to.tag !== undefined) {
      return { awake: bindings, asleep: NOBODY };
    }
    const asleep = bindings.filter((binding) => this.#sleeps(binding));
    if (asleep.length === 0) return { awake: bindings, asleep };
    const triesAll = this.#settings.whenConnected === "both";
    return {
      awake: bindings.filter(
        (each) => !asleep.includes(each) || (triesAll && this.#isConnected(each)),
      ),
      asleep,
    };
  }

  /**
   * What a proxy has devices woken by, and waits for; `undefined`: nobody sleeps. `targetsOf`: where the request goes when
   * one of them comes.
   */
  late(
    request: Request,
    addressOfRecord: string,
    asleep: readonly Binding[],
    targetsOf: (binding: Binding) => readonly Target[],
  ): LateTargets | undefined {
    if (asleep.length === 0) return undefined;
    const { method, callId } = request;
    const why: PushReason = { reason: "call", method, from: request.from.uri, callId };
    return {
      expected: asleep.length,
      watch: (observer: LateTargetsObserver) => {
        const hold = this.#held.add({ addressOfRecord, asleep, observer, targetsOf });
        if (hold === undefined) {
          observer.settled();
          return NOTHING;
        }
        for (const binding of asleep) {
          const device = wakeable(binding, this.#settings);
          if (device === undefined) continue;
          if (this.#sender.send(device, addressOfRecord, why) === "refused")
            hold.drop(pushId(device));
        }
        return () => hold.end();
      },
    };
  }

  /** A Contact's URI as it goes on; of a service that we don't have another server may need to know. */
  shown(uri: string): string {
    const provider = pushParams(uri)?.get("pn-provider")?.toLowerCase() ?? "";
    const isOthers = provider !== "" && !this.#settings.providers.has(provider);
    return isOthers ? uri : withoutPush(uri);
  }

  #sleeps(binding: Binding): boolean {
    const { clock } = this.#life.server;
    const device = wakeable(binding, this.#settings);
    // RFC 8599 §5.5: whose binding has ended isn't woken. A store may still have it.
    if (device === undefined || binding.expiresAt <= clock.wall()) return false;
    if (isLost(binding, this.#life.server)) return true;
    return (
      !this.#isAwake(device) &&
      !(this.#settings.whenConnected === "try" && this.#isConnected(binding))
    );
  }

  #isAwake(device: PushDevice): boolean {
    return this.#awake.has(pushId(device), this.#life.server.clock.now());
  }

  #isConnected({ flow }: Binding): boolean {
    const { server } = this.#life;
    return flow !== undefined && isOwnConnection(flow, server) && server.isAlive(flow);
  }
}
