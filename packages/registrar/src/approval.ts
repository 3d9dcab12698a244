import type { Awaitable, Request, Response } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import type { BindingEvent, BindingEventName } from "./events.ts";

/** What a REGISTER would do. */
export interface RegistrationPlan {
  readonly addressOfRecord: string;
  /**
   * What would become of each binding, as it would be told. None: the REGISTER asks for the bindings, repeats an earlier
   * one, or removes what isn't there.
   */
  readonly changes: readonly (readonly [name: BindingEventName, event: BindingEvent])[];
  /** The user's bindings after it, static ones left out. */
  readonly bindings: readonly Binding[];
}

/** On what terms a REGISTER is accepted. */
export interface ApprovalTerms {
  /** How long its bindings may last, in seconds, at most; 0: what it would bind is removed. */
  readonly maxExpires?: number | undefined;
  /** What the 200 has besides. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
}

/**
 * Asked about each REGISTER that is in order, before anything is changed and before anything is told: a response refuses
 * it, and nothing changes. While that is pending, other REGISTERs of the same user wait. Where several nodes share a store,
 * another one may change it meanwhile: the REGISTER is then applied to what is there.
 */
export type Approve = (
  request: Request,
  plan: RegistrationPlan,
) => Awaitable<Response | ApprovalTerms | undefined>;

/** Whether a REGISTER is refused. */
export function isRefusal(terms: Response | ApprovalTerms | undefined): terms is Response {
  return terms !== undefined && "status" in terms;
}
