import type { Clock } from "../clock.ts";
import type { StreamLimits } from "./stream-limits.ts";

/** What a transport needs from its surroundings. */
export interface TransportContext {
  readonly clock: Clock;
  /** Gives each connection its number. One source for all legs, so that no two connections share a number. */
  readonly ids: () => number;
  /** Bounds of stream transports; what is left out has its default. */
  readonly limits?: Partial<StreamLimits>;
  /** Which dispatcher's it is, for events. Default: empty. */
  readonly node?: string;
}
