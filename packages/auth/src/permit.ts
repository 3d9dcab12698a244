import {
  dialogRoute,
  type Handler,
  identity,
  isPromise,
  type Outcome,
  type Packet,
  type Request,
  type Response,
  type Server,
  SipError,
} from "@sipkit/core";
import { authenticated, type Permission } from "./permission.ts";

/** By method, who may send it. `"*"` stands for the methods that aren't named. */
export type PermitTable = Readonly<Record<string, Permission>>;

/**
 * Refuses with 403 what its sender may not do. Stands behind the handlers that prove who sends, and before those that
 * serve. A method that isn't named, and has no `"*"`, is for whoever proved himself: nothing is open that isn't opened by
 * name.
 *
 * ACK and CANCEL pass, and so does what is within a dialog that was opened through this server.
 *
 * @example
 * new Permit({
 *   INVITE: anyOf(calls("sip:*@example.com"), memberOf(["alice", "bob"])),
 *   OPTIONS: anyone,
 * });
 */
export class Permit implements Handler {
  readonly name = "Permit";
  readonly #table: ReadonlyMap<string, Permission>;
  readonly #others: Permission;
  #server: Server | undefined;

  /** Throws `SIP_BAD_OPTION`. */
  constructor(table: PermitTable) {
    for (const [method, permission] of Object.entries(table)) {
      if (typeof permission !== "function") {
        throw new SipError("SIP_BAD_OPTION", `permit: ${method} must have a function`);
      }
    }
    this.#table = new Map(Object.entries(table));
    this.#others = this.#table.get("*") ?? authenticated;
  }

  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet): Outcome {
    if (!packet.isRequest || packet.method === "ACK" || packet.method === "CANCEL")
      return undefined;
    if (packet.get(dialogRoute) !== undefined) return undefined;
    const server = this.#server;
    if (server === undefined) throw new SipError("SIP_NOT_STARTED", "the permit was not started");
    const permission = this.#table.get(packet.method) ?? this.#others;
    const holds = permission(packet, packet.get(identity), server);
    return isPromise(holds)
      ? holds.then((known) => this.#unless(known, packet, server))
      : this.#unless(holds, packet, server);
  }

  #unless(holds: boolean, request: Request, server: Server): Response | undefined {
    // Whatever isn't true, also from untyped code, is no.
    if (holds === true) return undefined;
    server.count("notPermitted");
    return request.createResponse(403, { reason: "Not permitted" });
  }
}
