import { once } from "node:events";
import { connect } from "node:net";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import {
  chainChannel,
  connectionChannel,
  Dispatcher,
  type EventChannel,
  malformedChannel,
  packetChannel,
  type Receive,
  Request,
  refusedHopChannel,
  type TraceEvent,
  transactionChannel,
} from "@sipkit/core";
import { completeRequest } from "@sipkit/core/testing";
import { startMetrics } from "@sipkit/metrics";
import { expect, it } from "vitest";
import { code, read, rows, section, sources } from "./pages.ts";

const PAGE = "docs/observability.md";
const channels = rows(section(PAGE, "## Channels"));
const metrics = rows(section(PAGE, "## Metrics"));

/** Everything in backticks in a cell. */
function codes(cell = ""): readonly string[] {
  return [...cell.matchAll(/`([^`"]+)`/g)].map(([, text = ""]) => text);
}

const answers: Receive = (packet) => {
  if (!packet.isRequest) return undefined;
  return packet.method === "OPTIONS" ? packet.createResponse(200) : "drop";
};

/** Something of everything: a connection, a request that is answered, sent by us too, or may not be, one that is dropped, and no message. */
async function makeItHappen(dispatcher: Dispatcher): Promise<void> {
  const [leg] = await dispatcher.listen();
  const port = leg?.port ?? 0;
  const options = completeRequest("OPTIONS sip:a SIP/2.0\nContent-Length: 0");
  const to = { protocol: "tcp", address: "127.0.0.1", port } as const;
  await dispatcher.request(Request.parse(options), { to }).final;
  const nowhere = Request.parse(completeRequest("OPTIONS sip:0.0.0.0;transport=tcp SIP/2.0"));
  await expect(dispatcher.request(nowhere).final).rejects.toThrow();
  const socket = connect(port, "127.0.0.1").resume();
  socket.write(completeRequest("INFO sip:a SIP/2.0\nContent-Length: 0"));
  socket.write("nonsense\r\n\r\n");
  await once(socket, "close");
  await dispatcher.close();
}

it("lists every channel of the sources, and none that is gone", () => {
  const named = sources().flatMap(
    (path) => read(path).match(/(?<=eventChannel\(\s*")[^"]+/g) ?? [],
  );
  expect(channels.map(([cell]) => code(cell)).toSorted()).toEqual(named.toSorted());
});

it("lists the fields that the events of each channel have", async () => {
  const exported = {
    packetChannel,
    malformedChannel,
    chainChannel,
    transactionChannel,
    connectionChannel,
    refusedHopChannel,
  } as Record<string, unknown> as Record<string, EventChannel<TraceEvent>>;
  const seen = new Map<string, Set<string>>();
  for (const [name, channel] of Object.entries(exported)) {
    const fields = new Set<string>();
    seen.set(`${String(channel.name)} ${name}`, fields);
    channel.subscribe((event) => {
      for (const field of Object.keys(event)) fields.add(field);
    });
  }
  await makeItHappen(new Dispatcher({ legs: ["tcp:127.0.0.1:0"], receiver: answers }));
  const listed = channels.map(([channel, name, , fields]) => [
    `${code(channel)} ${code(name)}`,
    ["at", "node", ...codes(fields)].toSorted(),
  ]);
  const published = [...seen].map(([name, fields]) => [name, [...fields].toSorted()]);
  expect(listed.toSorted()).toEqual(published.toSorted());
});

it("lists every metric with its attributes, and none that is gone", async () => {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const dispatcher = new Dispatcher({ legs: ["tcp:127.0.0.1:0"], receiver: answers });
  const running = startMetrics({ meter: provider.getMeter("test"), dispatcher });
  await makeItHappen(dispatcher);
  const { resourceMetrics } = await exporter.collect();
  const recorded = resourceMetrics.scopeMetrics.flatMap((scope) =>
    scope.metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      [...new Set(dataPoints.flatMap((point) => Object.keys(point.attributes)))].toSorted(),
    ]),
  );
  running.stop();
  await provider.shutdown();
  const listed = metrics.map((cells) => [code(cells[0]), codes(cells[3]).toSorted()]);
  expect(listed.toSorted()).toEqual(recorded.toSorted());
});
