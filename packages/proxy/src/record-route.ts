import type { FlowRef, Leg, Method, Request, Server } from "@sipkit/core";

/** Methods that open no dialog. What nobody here knows may open one. RFC 3261 §16.6 step 4 */
const OPENS_NO_DIALOG: ReadonlySet<Method> = new Set([
  "ACK",
  "BYE",
  "CANCEL",
  "INFO",
  "MESSAGE",
  "OPTIONS",
  "PRACK",
  "PUBLISH",
  "REGISTER",
  "UPDATE",
]);

/**
 * Whether our Record-Routes go on a request: on what may open a dialog, and on every NOTIFY, which opens the
 * subscriber's side of one.
 *
 * Deviation: other requests within a dialog get none, though a proxy SHOULD add them, for an endpoint that lost its
 * state; endpoints keep the route set that the first request made.
 *
 * RFC 3261 §16.6 step 4, RFC 6665 §4.3
 */
export function isRecordRouted(method: Method, isInDialog: boolean): boolean {
  return isInDialog ? method === "NOTIFY" : !OPENS_NO_DIALOG.has(method);
}

/**
 * Puts our two Record-Routes on a copy: on top the one for the callee's side, below it the caller's. Each names its
 * side's leg, so that the two may differ in transport, and its flow, so that a phone is reached over the connection
 * that it opened.
 *
 * RFC 3261 §16.6 step 4, RFC 5626 §5.3
 */
export class RecordRoute {
  readonly #server: Server;
  readonly #leg: Leg;
  readonly #flow: FlowRef | undefined;
  /** The same on every branch. */
  #callerSide: string | undefined;

  /** `leg`: where the request came in. `flow`: that of the caller, when the request came straight from it. */
  constructor(server: Server, leg: Leg, flow: FlowRef | undefined) {
    this.#server = server;
    this.#leg = leg;
    this.#flow = flow;
  }

  /** `leg` and `flow`: where the copy goes. */
  add(copy: Request, leg: Leg, flow: FlowRef | undefined): void {
    this.#callerSide ??= this.#sign(copy, "a", this.#leg, this.#flow);
    copy.headers.prepend("Record-Route", this.#callerSide);
    copy.headers.prepend("Record-Route", this.#sign(copy, "b", leg, flow));
  }

  #sign(request: Request, side: "a" | "b", leg: Leg, flow: FlowRef | undefined): string {
    return this.#server.signRoute({ request, side, leg, ...(flow === undefined ? {} : { flow }) });
  }
}
