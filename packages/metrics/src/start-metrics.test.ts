import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { type AnyHandler, chainChannel, onRequest, packetChannel } from "@sipkit/core";
import { TestServer, type TestServerOptions } from "@sipkit/core/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type MetricsOptions, startMetrics } from "./start-metrics.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Points = readonly (readonly [attributes: string, value: number])[];

/** A meter, and what was recorded with it. */
function recorder(): {
  meter: NonNullable<MetricsOptions["meter"]>;
  read: () => Promise<Recorded>;
} {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  // Collected by hand alone.
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  closers.push(() => provider.shutdown());
  const read = async (): Promise<Recorded> => {
    exporter.reset();
    await provider.forceFlush();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    return new Recorded(scopes.flatMap(({ metrics }) => metrics));
  };
  return { meter: provider.getMeter("test"), read };
}

class Recorded {
  readonly #metrics: readonly MetricData[];

  constructor(metrics: readonly MetricData[]) {
    this.#metrics = metrics;
  }

  get names(): readonly string[] {
    return this.#metrics.map(({ descriptor }) => descriptor.name);
  }

  /** A metric's points, each with its attributes as text; of a histogram how many and their sum. */
  points(name: string): Points {
    const metric = this.#metrics.find(({ descriptor }) => descriptor.name === name);
    if (metric === undefined) return [];
    if (metric.dataPointType === DataPointType.HISTOGRAM) {
      return metric.dataPoints.map(({ attributes, value }) => [
        textOf(attributes),
        value.sum ?? Number.NaN,
      ]);
    }
    if (metric.dataPointType !== DataPointType.SUM) return [];
    return metric.dataPoints.map(({ attributes, value }) => [textOf(attributes), value]);
  }
}

function textOf(attributes: Readonly<Record<string, unknown>>): string {
  return Object.values(attributes).join(" ");
}

async function serve(handler: AnyHandler, options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start(handler, options);
  closers.push(() => server.close());
  return server;
}

const answers = onRequest(["OPTIONS", "INVITE", "MESSAGE"], (request) =>
  request.createResponse(request.method === "INVITE" ? 486 : 200),
);

describe("startMetrics", () => {
  it("counts requests by method and class of status, and how long they took", async () => {
    const { meter, read } = recorder();
    const server = await serve(async function slow(packet) {
      if (!packet.isRequest) return;
      await new Promise<void>((resolve) => server.clock.setTimer(250, resolve));
      return packet.createResponse(404);
    });
    closers.push(startMetrics({ meter, dispatcher: server.dispatcher }).stop);
    const asked = server.ask("MESSAGE sip:bob@example.com SIP/2.0");
    await server.clock.advance(250);
    await asked;
    const recorded = await read();
    expect(recorded.points("sip.server.requests")).toEqual([["MESSAGE answered 4xx", 1]]);
    expect(recorded.points("sip.server.request.duration")).toEqual([
      ["MESSAGE answered 4xx", 0.25],
    ]);
    expect(recorded.points("sip.handler.duration")).toContainEqual(["slow response", 0.25]);
  });

  it("counts messages in and out", async () => {
    const { meter, read } = recorder();
    const server = await serve(answers);
    closers.push(startMetrics({ meter, dispatcher: server.dispatcher }).stop);
    const message = "OPTIONS sip:bob@example.com SIP/2.0";
    await server.ask(message);
    await server.ask(message);
    expect((await read()).points("sip.messages")).toEqual([
      ["receive udp request OPTIONS false", 1],
      ["transmit udp response OPTIONS false", 1],
      ["receive udp request OPTIONS true", 1],
      ["transmit udp response OPTIONS true", 1],
    ]);
  });

  it("has one name for all methods that strangers invent", async () => {
    const { meter, read } = recorder();
    const server = await serve(answers);
    closers.push(startMetrics({ meter, dispatcher: server.dispatcher }).stop);
    for (let n = 0; n < 50; n++) {
      await server.ask(
        `METHOD${n} sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP a;branch=z9hG4bK${n}`,
      );
    }
    expect((await read()).points("sip.server.requests")).toEqual([["_OTHER answered 5xx", 50]]);
  });

  it("counts what is dropped and what is no message", async () => {
    const { meter, read } = recorder();
    const server = await serve(() => "drop");
    closers.push(startMetrics({ meter, dispatcher: server.dispatcher }).stop);
    await server.ask("OPTIONS sip:bob@example.com SIP/2.0");
    await server.ask("OPTIONS sip:bob@example.com SIP/2.0\nCSeq: x OPTIONS").catch(() => undefined);
    const recorded = await read();
    expect(recorded.points("sip.dropped")).toEqual([["OPTIONS", 1]]);
    expect(recorded.points("sip.malformed")).toEqual([["udp", 1]]);
    expect(recorded.points("sip.server.requests")).toEqual([["OPTIONS dropped", 1]]);
  });

  it("reads the dispatcher's gauges and counters", async () => {
    const { meter, read } = recorder();
    const server = await serve(onRequest("INVITE", () => "later"));
    closers.push(startMetrics({ meter, dispatcher: server.dispatcher }).stop);
    server.dispatcher.count("ofAHandler");
    await server.ask("INVITE sip:bob@example.com SIP/2.0");
    const recorded = await read();
    expect(recorded.points("sip.transactions.active")).toContainEqual(["invite_server", 1]);
    expect(recorded.points("sip.connections.active")).toEqual([["", 0]]);
    expect(recorded.points("sipkit.alive")).toContainEqual(["waitingRequests", 1]);
    expect(recorded.points("sipkit.events")).toContainEqual(["ofAHandler", 1]);
  });

  it("records only its own dispatcher's, and without one all of the process", async () => {
    const [own, all] = [recorder(), recorder()];
    const one = await serve(answers, { node: "one" });
    const two = await serve(answers, { node: "two" });
    closers.push(startMetrics({ meter: own.meter, dispatcher: one.dispatcher }).stop);
    closers.push(startMetrics({ meter: all.meter }).stop);
    await one.ask("OPTIONS sip:bob@example.com SIP/2.0");
    await two.ask("OPTIONS sip:bob@example.com SIP/2.0");
    expect((await own.read()).points("sip.server.requests")).toEqual([["OPTIONS answered 2xx", 1]]);
    const recorded = await all.read();
    expect(recorded.points("sip.server.requests")).toEqual([["OPTIONS answered 2xx", 2]]);
    expect(recorded.names).not.toContain("sipkit.events");
  });

  it("stands a packet that a handler has broken", async () => {
    const { meter, read } = recorder();
    const server = await serve((packet) => {
      if (!packet.isRequest) return;
      const response = packet.createResponse(200);
      response.headers.set("CSeq", "broken");
      return response;
    });
    closers.push(startMetrics({ meter, dispatcher: server.dispatcher }).stop);
    await server.ask("OPTIONS sip:bob@example.com SIP/2.0").catch(() => undefined);
    expect((await read()).points("sip.messages")).toContainEqual([
      "transmit udp response _OTHER false",
      1,
    ]);
  });

  it("records no more when it is stopped", async () => {
    const { meter, read } = recorder();
    const server = await serve(answers);
    const running = startMetrics({ meter, dispatcher: server.dispatcher });
    running.stop();
    await server.ask("OPTIONS sip:bob@example.com SIP/2.0");
    expect((await read()).names).toEqual([]);
    expect(packetChannel.hasSubscribers || chainChannel.hasSubscribers).toBe(false);
  });

  it("records with the process's meter provider where no meter is given, and nothing without one", async () => {
    const server = await serve(answers);
    closers.push(startMetrics({ dispatcher: server.dispatcher }).stop);
    const { verdict } = await server.ask("OPTIONS sip:bob@example.com SIP/2.0");
    expect(verdict).toMatchObject({ status: 200 });
  });
});
