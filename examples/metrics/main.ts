/**
 * A registrar whose metrics are served to Prometheus, and to anybody who looks, at http://127.0.0.1:9464/metrics.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/metrics/main.ts
 * Try it:  sipsak -vv -s sip:127.0.0.1:5060
 *          curl http://127.0.0.1:9464/metrics
 *          Prometheus: scrape_configs: [{ job_name: sip, static_configs: [{ targets: ["127.0.0.1:9464"] }] }]
 */
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { Dispatcher } from "@sipkit/core";
import { startMetrics } from "@sipkit/metrics";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

const [sip = "5060", http = "9464"] = process.argv.slice(2);

const dispatcher = new Dispatcher({
  legs: [`udp:127.0.0.1:${sip}`, `tcp:127.0.0.1:${sip}`],
  domains: ["example.com"],
  receiver: [new Registrar(), new Proxy()],
});

const exporter = new PrometheusExporter({ host: "127.0.0.1", port: Number(http) });
const provider = new MeterProvider({ readers: [exporter] });
const running = startMetrics({ meter: provider.getMeter("sipkit"), dispatcher });

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await dispatcher.close();
    await provider.shutdown();
    running.stop();
  });
}
for (const leg of await dispatcher.listen())
  console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
console.log(`metrics at http://127.0.0.1:${http}/metrics`);
