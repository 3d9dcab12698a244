export type { ObservedDispatcher } from "./observe-dispatcher.ts";
export { type MetricsOptions, type RunningMetrics, startMetrics } from "./start-metrics.ts";
