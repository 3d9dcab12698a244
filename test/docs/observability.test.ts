import { once } from "node:events";
import { connect } from "node:net";
import { createNoopMeter, type Meter } from "@opentelemetry/api";
import {
  chainChannel,
  connectionChannel,
  Dispatcher,
  type EventChannel,
  malformedChannel,
  onRequest,
  packetChannel,
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
  } as Record<string, unknown> as Record<string, EventChannel<TraceEvent>>;
  const seen = new Map<string, Set<string>>();
  for (const [name, channel] of Object.entries(exported)) {
    const fields = new Set<string>();
    seen.set(`${String(channel.name)} ${name}`, fields);
    channel.subscribe((event) => {
      for (const field of Object.keys(event)) fields.add(field);
    });
  }
  const answers = onRequest("OPTIONS", (request) => request.createResponse(200));
  const dispatcher = new Dispatcher({ legs: ["tcp:127.0.0.1:0"], receiver: answers });
  const [leg] = await dispatcher.listen();
  const socket = connect(leg?.port ?? 0, "127.0.0.1");
  socket
    .resume()
    .write(`${completeRequest("OPTIONS sip:a SIP/2.0\nContent-Length: 0")}nonsense\r\n\r\n`);
  await once(socket, "close");
  await dispatcher.close();
  const listed = channels.map(([channel, name, , fields]) => [
    `${code(channel)} ${code(name)}`,
    ["at", "node", ...codes(fields)].toSorted(),
  ]);
  const published = [...seen].map(([name, fields]) => [name, [...fields].toSorted()]);
  expect(listed.toSorted()).toEqual(published.toSorted());
});

it("lists every metric, and none that is gone", () => {
  const created: string[] = [];
  const meter = new Proxy(createNoopMeter(), {
    get: (target, key: keyof Meter) => {
      const method = target[key].bind(target) as (...args: readonly unknown[]) => unknown;
      return (...args: readonly unknown[]) => {
        if (key.startsWith("create")) created.push(String(args[0]));
        return method(...args);
      };
    },
  });
  startMetrics({ meter }).stop();
  expect(metrics.map(([cell]) => code(cell)).toSorted()).toEqual(created.toSorted());
});

it("lists the attributes that metrics are recorded with", () => {
  const text = ["record-events.ts", "observe-dispatcher.ts"]
    .map((file) => read(`packages/metrics/src/${file}`))
    .join("");
  const used = new Set(
    [...text.matchAll(/"((?:sip|network)\.[a-z._]+)"\]?:/g)].map(([, name]) => name),
  );
  used.add("name");
  const listed = new Set(metrics.flatMap((cells) => codes(cells[3])));
  expect([...listed].toSorted()).toEqual([...used].toSorted());
});
