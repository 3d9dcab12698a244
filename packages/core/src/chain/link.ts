import type { Leg, Peer } from "../arrival.ts";
import { type PacketKey, packetKey } from "../message/packet-key.ts";
import type { AnyHandler, Handler, Outcome, Packet } from "./handler.ts";

/** A handler as a chain keeps it: whatever its form, with its name. */
export interface Link {
  readonly name: string;
  readonly handler: Handler;
}

/** The name of the handler that claimed a packet: the innermost one, where chains nest. */
export const claimant: PacketKey<string> = packetKey("claimant");

/** A bare function as a handler. */
class FunctionHandler implements Handler {
  readonly name: string;
  readonly receive: (packet: Packet, leg: Leg, from: Peer) => Outcome;

  constructor(receive: (packet: Packet, leg: Leg, from: Peer) => Outcome) {
    this.name = receive.name || "anonymous";
    this.receive = receive;
  }
}

/** How traces and errors call a handler. */
export function handlerName(handler: AnyHandler): string {
  return handler.name || handler.constructor.name || "anonymous";
}

/** Any handler as an object with `receive`. */
export function asHandler(handler: AnyHandler): Handler {
  return typeof handler === "function" ? new FunctionHandler(handler) : handler;
}

/** Any handler as a link, its name read once. */
export function link(handler: AnyHandler): Link {
  const object = asHandler(handler);
  return { name: handlerName(object), handler: object };
}
