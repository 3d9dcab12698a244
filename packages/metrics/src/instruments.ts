import type {
  Counter,
  Histogram,
  Meter,
  ObservableCounter,
  ObservableUpDownCounter,
} from "@opentelemetry/api";

/** Every instrument, by what it measures. */
export interface Instruments {
  readonly serverRequests: Counter;
  readonly serverDuration: Histogram;
  readonly clientRequests: Counter;
  readonly clientDuration: Histogram;
  readonly messages: Counter;
  readonly malformed: Counter;
  readonly dropped: Counter;
  readonly connections: Counter;
  readonly handlerDuration: Histogram;
  readonly activeTransactions: ObservableUpDownCounter;
  readonly activeConnections: ObservableUpDownCounter;
  readonly alive: ObservableUpDownCounter;
  readonly events: ObservableCounter;
}

/** Upper bounds in seconds: from a registration that is answered at once to a phone that rings until it is given up. */
const REQUEST_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180,
];
const HANDLER_BUCKETS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.1, 1, 10];

/** Makes the instruments. */
export function createInstruments(meter: Meter): Instruments {
  const requests = (side: string, description: string): Counter =>
    meter.createCounter(`sip.${side}.requests`, { unit: "{request}", description });
  const duration = (name: string, buckets: number[], description: string): Histogram =>
    meter.createHistogram(name, {
      unit: "s",
      description,
      advice: { explicitBucketBoundaries: buckets },
    });
  return {
    serverRequests: requests("server", "Requests that came and had their end"),
    serverDuration: duration(
      "sip.server.request.duration",
      REQUEST_BUCKETS,
      "From a request's arrival to its final response, or to its end without one",
    ),
    clientRequests: requests("client", "Requests that were sent and had their end"),
    clientDuration: duration(
      "sip.client.request.duration",
      REQUEST_BUCKETS,
      "From sending a request to its final response, or to its end without one",
    ),
    messages: meter.createCounter("sip.messages", {
      unit: "{message}",
      description: "Messages received and sent",
    }),
    malformed: meter.createCounter("sip.malformed", {
      unit: "{message}",
      description: "What came and was no SIP message, or was refused before any handler saw it",
    }),
    dropped: meter.createCounter("sip.dropped", {
      unit: "{request}",
      description: "Requests that a handler dropped",
    }),
    connections: meter.createCounter("sip.connections", {
      unit: "{event}",
      description: "What happened to stream connections",
    }),
    handlerDuration: duration(
      "sip.handler.duration",
      HANDLER_BUCKETS,
      "How long handlers took for a packet, waiting included",
    ),
    activeTransactions: meter.createObservableUpDownCounter("sip.transactions.active", {
      unit: "{transaction}",
      description: "Transactions that are kept, with those that only absorb retransmissions",
    }),
    activeConnections: meter.createObservableUpDownCounter("sip.connections.active", {
      unit: "{connection}",
      description: "Stream connections",
    }),
    alive: meter.createObservableUpDownCounter("sipkit.alive", {
      unit: "1",
      description: "Every gauge of dispatcher.stats()",
    }),
    events: meter.createObservableCounter("sipkit.events", {
      unit: "{event}",
      description: "Every counter of dispatcher.counters()",
    }),
  };
}
