import type { FlowRef, Server } from "@sipkit/core";
import type { Binding } from "./binding.ts";

/**
 * Whether a binding's connection is gone, as far as this process can know: of another node's it can't.
 *
 * RFC 5626 §7
 */
export function isLost({ flow }: Binding, server: Server): boolean {
  if (flow === undefined) return false;
  return isOwnConnection(flow, server) ? !server.isAlive(flow) : isOfEarlierLife(flow, server);
}

/** Whether a flow is a connection of this very life of the process. */
export function isOwnConnection({ connection, node, epoch }: FlowRef, server: Server): boolean {
  return connection !== undefined && node === server.node && epoch === server.epoch;
}

function isOfEarlierLife({ connection, node, epoch }: FlowRef, server: Server): boolean {
  return connection !== undefined && node === server.node && epoch !== server.epoch;
}
