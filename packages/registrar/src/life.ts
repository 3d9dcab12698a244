import type { Server } from "@sipkit/core";
import type {
  BindingEvent,
  BindingEventName,
  ReachabilityEvent,
  ReachabilityEventName,
} from "./events.ts";
import type { ExpiryTimer } from "./expiry-timer.ts";
import type { Gruus } from "./gruu.ts";
import type { LocationStore } from "./location-store.ts";
import type { PingStates } from "./qualify/ping-states.ts";
import type { RegisterFailures } from "./register-failures.ts";
import type { RegistrarSettings } from "./registrar-options.ts";
import type { ServedDomains } from "./served-domains.ts";
import type { StaticBindings } from "./static-bindings.ts";
import type { UpdateOrder } from "./update-order.ts";

/** What a registrar's parts share between `start` and `close`. */
export interface Life {
  readonly server: Server;
  readonly settings: RegistrarSettings;
  readonly store: LocationStore;
  readonly domains: ServedDomains;
  readonly fixed: StaticBindings;
  /** `undefined`: no GRUUs. */
  readonly gruus: Gruus | undefined;
  readonly order: UpdateOrder;
  readonly timer: ExpiryTimer;
  readonly failures: RegisterFailures;
  /** Tells listeners what became of a binding. */
  readonly tell: (name: BindingEventName, event: BindingEvent) => void;
  /** What pings have told; `undefined`: there are none. */
  readonly pings: PingStates | undefined;
  /** Tells listeners what a ping has told. */
  readonly announce: (name: ReachabilityEventName, event: ReachabilityEvent) => void;
}
