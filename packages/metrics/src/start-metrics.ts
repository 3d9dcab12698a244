import { type Meter, metrics } from "@opentelemetry/api";
import { createInstruments } from "./instruments.ts";
import { type ObservedDispatcher, observeDispatcher } from "./observe-dispatcher.ts";
import { recordEvents } from "./record-events.ts";

/** Where metrics go, and whose they are. */
export interface MetricsOptions {
  /** Default: the one called `@sipkit/metrics` of the meter provider that the process has registered. */
  readonly meter?: Meter;
  /** Only what happens in it is recorded, and its gauges and counters are. Default: all of the process, without those. */
  readonly dispatcher?: ObservedDispatcher;
}

/** Metrics that are being recorded. */
export interface RunningMetrics {
  /**
   * Records no more, and lets go of the dispatcher's gauges and counters: where metrics are pushed, shut the meter provider
   * down first, which reads them a last time.
   */
  stop(): void;
}

/**
 * Records OpenTelemetry metrics of what happens in a dispatcher, from sipkit's channels and nothing else: handlers and
 * hot paths don't know of it. Start it before `listen()`. `docs/observability.md` lists the metrics.
 *
 * @example
 * const exporter = new PrometheusExporter({ host: "127.0.0.1" });
 * const provider = new MeterProvider({ readers: [exporter] });
 * const running = startMetrics({ meter: provider.getMeter("sip"), dispatcher });
 */
export function startMetrics(options: MetricsOptions = {}): RunningMetrics {
  const { meter = metrics.getMeter("@sipkit/metrics"), dispatcher } = options;
  const instruments = createInstruments(meter);
  const stopEvents = recordEvents(instruments, dispatcher?.node);
  const stopObserving = dispatcher && observeDispatcher(meter, instruments, dispatcher);
  return {
    stop() {
      stopEvents();
      stopObserving?.();
    },
  };
}
