import type { BatchObservableCallback, Meter } from "@opentelemetry/api";
import type { Dispatcher } from "@sipkit/core";
import type { Instruments } from "./instruments.ts";

/** What is asked of a dispatcher. */
export type ObservedDispatcher = Pick<Dispatcher, "node" | "stats" | "counters">;

/** The gauges that are transactions, and what the attribute calls them. */
const KINDS: readonly (readonly [gauge: string, kind: string])[] = [
  ["inviteServers", "invite_server"],
  ["nonInviteServers", "non_invite_server"],
  ["inviteClients", "invite_client"],
  ["nonInviteClients", "non_invite_client"],
];

/** Has a dispatcher's gauges and counters read whenever metrics are collected; gives what ends that. */
export function observeDispatcher(
  meter: Meter,
  instruments: Instruments,
  dispatcher: ObservedDispatcher,
): () => void {
  const { activeTransactions, activeConnections, alive, events } = instruments;
  const observe: BatchObservableCallback = (result) => {
    const gauges = dispatcher.stats();
    for (const [gauge, kind] of KINDS) {
      result.observe(activeTransactions, gauges[gauge] ?? 0, { "sip.transaction.kind": kind });
    }
    result.observe(activeConnections, gauges.connections ?? 0);
    for (const [name, value] of Object.entries(gauges)) result.observe(alive, value, { name });
    for (const [name, value] of Object.entries(dispatcher.counters())) {
      result.observe(events, value, { name });
    }
  };
  const observed = [activeTransactions, activeConnections, alive, events];
  meter.addBatchObservableCallback(observe, observed);
  return () => meter.removeBatchObservableCallback(observe, observed);
}
