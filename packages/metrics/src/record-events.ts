import type { Attributes } from "@opentelemetry/api";
import {
  type ChainStep,
  type ConnectionEvent,
  chainChannel,
  connectionChannel,
  type EventChannel,
  type MalformedEvent,
  malformedChannel,
  type Packet,
  type PacketEvent,
  packetChannel,
  type TraceEvent,
  type TransactionEvent,
  transactionChannel,
} from "@sipkit/core";
import type { Instruments } from "./instruments.ts";
import { methodName } from "./method-names.ts";

/**
 * Records what is published on sipkit's channels, of one node or of all; gives what ends that. Attributes have few values
 * each, whatever strangers send: nothing of a message but its method, if it is a known one, and the class of its status.
 */
export function recordEvents(instruments: Instruments, node: string | undefined): () => void {
  const ends = [
    follow(packetChannel, node, (event) => recordPacket(instruments, event)),
    follow(malformedChannel, node, (event) => recordMalformed(instruments, event)),
    follow(chainChannel, node, (step) => recordStep(instruments, step)),
    follow(transactionChannel, node, (event) => recordTransaction(instruments, event)),
    follow(connectionChannel, node, (event) => recordConnection(instruments, event)),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function follow<Event extends TraceEvent>(
  channel: EventChannel<Event>,
  node: string | undefined,
  record: (event: Event) => void,
): () => void {
  const listener = (event: Event): void => {
    if (node === undefined || event.node === node) record(event);
  };
  channel.subscribe(listener);
  return () => channel.unsubscribe(listener);
}

function recordPacket({ messages }: Instruments, event: PacketEvent): void {
  const { direction, packet, peer, retransmission } = event;
  messages.add(1, {
    "network.io.direction": direction === "in" ? "receive" : "transmit",
    "sip.transport": peer.protocol,
    "sip.message.type": packet.isRequest ? "request" : "response",
    "sip.request.method": methodOf(packet),
    "sip.retransmission": retransmission,
  });
}

function recordMalformed({ malformed }: Instruments, { peer }: MalformedEvent): void {
  malformed.add(1, { "sip.transport": peer.protocol });
}

function recordStep({ handlerDuration }: Instruments, step: ChainStep): void {
  const { handler, verdict, error, duration } = step;
  let said = verdict || "passed_on";
  if (error !== undefined) said = "threw";
  else if (typeof said === "object") said = "response";
  handlerDuration.record(duration / 1000, {
    "sip.handler.name": handler,
    "sip.handler.verdict": said,
  });
}

function recordTransaction(instruments: Instruments, event: TransactionEvent): void {
  if (event.phase === "started") return;
  const { role, method, outcome, status, duration } = event;
  const isServer = role === "server";
  const name = methodName(method);
  const attributes: Attributes = {
    "sip.request.method": name,
    "sip.transaction.outcome": outcome,
    ...(status !== undefined && { "sip.response.status_class": `${Math.floor(status / 100)}xx` }),
  };
  const { serverRequests, clientRequests, serverDuration, clientDuration, dropped } = instruments;
  (isServer ? serverRequests : clientRequests).add(1, attributes);
  (isServer ? serverDuration : clientDuration).record(duration / 1000, attributes);
  if (outcome === "dropped") dropped.add(1, { "sip.request.method": name });
}

function recordConnection({ connections }: Instruments, { what, peer }: ConnectionEvent): void {
  connections.add(1, { "sip.connection.event": what, "sip.transport": peer.protocol });
}

/** A response's method stands in its CSeq, which a handler may have left malformed. */
function methodOf(packet: Packet): string {
  try {
    return methodName(packet.method);
  } catch {
    return methodName("");
  }
}
