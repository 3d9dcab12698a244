import type { Awaitable, Method } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { checkOption } from "../check-option.ts";
import { type PushDevice, pushDeviceOf } from "./push-device.ts";

/** A device is to be woken: it shall send a REGISTER, which is all that a push asks of it. */
export type PushNotification = PushDevice & {
  /** Whose device: `sip:user@host`, canonical. */
  readonly addressOfRecord: string;
} & (
    | {
        /** A request waits for the device. */
        readonly reason: "call";
        readonly method: Method;
        /** The URI of its From, as its sender wrote it: proved only where an authenticator has seen to it. */
        readonly from: string;
        readonly callId: string;
      }
    | {
        /** Its binding is about to end. */
        readonly reason: "refresh";
      }
  );

/**
 * Has a push service wake a device. What it throws, now or later, says that the device can't be woken: who waits for it
 * is told so at once. The registrar waits 30 s for it, and tells the message of what was thrown to the operator, the
 * token taken out.
 */
export type PushHook = (notification: PushNotification) => Awaitable<void>;

/** How devices that sleep are woken. RFC 8599 */
export interface PushOptions {
  /**
   * The push services by the name that devices give them in `pn-provider` (`apns`, `fcm`, `webpush`). A device that names
   * another is answered 555.
   */
  readonly providers: Readonly<Record<string, PushHook>>;
  /** Milliseconds that a request waits for the REGISTER of a device that is being woken, 1,000 to 30,000. Default: 6,000. */
  readonly wait?: number;
  /**
   * The methods that wake a device; a request of another goes where it was last. Default: INVITE, MESSAGE, SUBSCRIBE,
   * REFER and NOTIFY.
   */
  readonly methods?: readonly Method[];
  /**
   * Milliseconds since its last REGISTER here for which a device counts as awake: requests go to it at once, and no push
   * is sent. Default: 5,000.
   */
  readonly awakeFor?: number;
  /**
   * What of a device whose connection is up: `"push"` wakes it and waits for its REGISTER, since a phone's system keeps
   * connections of apps that it has put to sleep; `"try"` sends it the request and wakes nobody; `"both"` does both.
   * Default: `"push"`.
   */
  readonly whenConnected?: "push" | "try" | "both";
  /** Milliseconds from one push to a device to the next, at least: a request in between waits without one. Default: 5,000. */
  readonly minInterval?: number;
  /** Requests that wait for devices at once. Default: 1,000. */
  readonly maxHeld?: number;
  /** Of them those for one user. Default: 10. */
  readonly maxHeldPerUser?: number;
  /** Pushes whose hook has not come back yet. Default: 1,000. */
  readonly maxOutstanding?: number;
  /**
   * Seconds before its binding ends at which a device is woken so that it registers again; 0: never. A device that asks
   * for less than a minute more than that (180 s where it is 0) gets a 423. Default: 120.
   */
  readonly refreshBefore?: number;
  /**
   * Whose bindings are refreshed so: `"own"`, of those in a store that several nodes share, whose devices registered
   * here; `"all"`, which one process of a store alone may say. Default: `"own"` with `nodePath`, else `"all"`.
   */
  readonly refreshes?: "own" | "all";
  /** Users whose devices are woken so, at most. Default: 2,000,000. */
  readonly maxRefreshed?: number;
}

/** Checked options. */
export interface PushSettings
  extends Required<Omit<PushOptions, "providers" | "methods" | "refreshes">> {
  /** By names in lower case. */
  readonly providers: ReadonlyMap<string, PushProvider>;
  readonly methods: ReadonlySet<Method>;
  readonly refreshes: "own" | "all" | undefined;
  /** Seconds that a device must ask for at least. */
  readonly minExpires: number;
  /** By how many seconds before the end who wakes itself has to register again; `undefined`: it is woken in any case. */
  readonly pnsreg: number | undefined;
}

/** A push service. */
export interface PushProvider {
  /** As configured. */
  readonly name: string;
  readonly send: PushHook;
}

/** Seconds that a binding lasts at least before its device is woken to refresh it. */
const BEFORE_REFRESH = 60;
/** RFC 8599 §5.5, §5.6.1.1: a device is woken so many seconds before the end; who wakes itself comes earlier. */
const RECOMMENDED = 120;
/** Seconds by which it comes earlier. */
const OWN_MARGIN = 10;
const METHODS: readonly Method[] = ["INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY"];
/** What stands in quotes in a Feature-Caps. RFC 3840 §9 */
const NAME = /^[A-Za-z0-9.!%*_+`'~-]{1,64}$/;

/** Throws a `SipError` `SIP_BAD_OPTION`. `shortest`: seconds that who asks for nothing, or for much, gets. */
export function readPush(
  options: PushOptions | undefined,
  shortest: number,
): PushSettings | undefined {
  if (options === undefined) return undefined;
  const { wait = 6000, awakeFor = 5000, minInterval = 5000, methods = METHODS } = options;
  const { maxHeld = 1000, maxHeldPerUser = 10, maxOutstanding = 1000 } = options;
  const { maxRefreshed = 2_000_000, refreshBefore = 120 } = options;
  const providers = new Map<string, PushProvider>();
  for (const [name, send] of Object.entries(options.providers)) {
    checkOption(NAME.test(name), `push: ${JSON.stringify(name)} can't be the name of a provider`);
    checkOption(typeof send === "function", `push: the provider ${name} is no function`);
    providers.set(name.toLowerCase(), { name, send });
  }
  checkOption(providers.size > 0, "push: no provider is given");
  checkOption(wait >= 1000 && wait <= 30_000, "push: wait must be from 1,000 to 30,000");
  checkOption(awakeFor >= 0 && awakeFor <= 3_600_000, "push: awakeFor must be from 0 to 3,600,000");
  checkOption(
    minInterval >= 0 && minInterval <= 3_600_000,
    "push: minInterval must be from 0 to 3,600,000",
  );
  const bounds = { maxHeld, maxHeldPerUser, maxOutstanding, maxRefreshed };
  for (const [name, value] of Object.entries(bounds)) {
    checkOption(
      Number.isSafeInteger(value) && value >= 1,
      `push: ${name} must be a whole number from 1`,
    );
  }
  checkOption(
    Number.isSafeInteger(refreshBefore) && refreshBefore >= 0,
    "push: refreshBefore must be a whole number from 0",
  );
  // RFC 8599 §5.6.1.1: too short is what would end before its device could be woken.
  const lead = refreshBefore === 0 ? RECOMMENDED : refreshBefore;
  const minExpires = lead + BEFORE_REFRESH;
  checkOption(
    minExpires <= shortest,
    `push: maxExpires and defaultExpires must be at least ${minExpires}`,
  );
  return {
    providers,
    methods: new Set(methods),
    wait,
    awakeFor,
    whenConnected: options.whenConnected ?? "push",
    minInterval,
    ...bounds,
    refreshBefore,
    refreshes: options.refreshes,
    minExpires,
    pnsreg: lead < RECOMMENDED ? undefined : lead + OWN_MARGIN,
  };
}

/** The device of a binding that we can have woken; `undefined` of any other. */
export function wakeable(
  { uri }: Pick<Binding, "uri">,
  push: PushSettings | undefined,
): PushDevice | undefined {
  const device = push && pushDeviceOf(uri);
  return device !== undefined && push?.providers.has(device.provider) ? device : undefined;
}
