import type { FlowRef, LateTargets, Request, Server } from "@sipkit/core";
import type { Branch } from "./branch.ts";
import type { Deadlines, Expiring } from "./deadlines.ts";
import type { RecordRoute } from "./record-route.ts";
import type { Destination } from "./target-set.ts";

/** What all response contexts of a proxy share. */
export interface ContextHost {
  readonly server: Server;
  /** A lap of Timer C of every branch. RFC 3261 §16.6 step 11 */
  readonly timerC: Deadlines<Branch>;
  /** How many laps Timer C has: after each one our own server transaction hears that we are still at it. */
  readonly laps: number;
  /** How long a group is tried while there is another after it. */
  readonly groupTime: Deadlines<Expiring & { groupExpired(): void }>;
  /** How long a request is held for targets that come late. */
  readonly holdTime: Deadlines<Expiring & { overdue(): void }>;
}

/** What is forwarded, and how. */
export interface Forwarding {
  readonly request: Request;
  readonly groups: readonly (readonly Destination[])[];
  /** Whether a location service found the targets; else the sender's own Routes and request-URI stand. */
  readonly isLookedUp: boolean;
  /** Targets that are on their way. */
  readonly late: LateTargets | undefined;
  /** How many devices it goes to, at most. */
  readonly maxTargets: number;
  /** To be sent. */
  readonly maxForwards: number;
  /** To be divided among the branches of a group. */
  readonly maxBreadth: number;
  readonly loopHash: string;
  /** How our own Record-Routes go on; left out when we don't stay on the path. */
  readonly recordRoute: RecordRoute | undefined;
  /** The flow that goes into a Path; left out when we put none on. RFC 5626 §5.1 */
  readonly keptFlow: FlowRef | undefined;
}
