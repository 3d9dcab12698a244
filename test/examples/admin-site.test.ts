import { EventEmitter } from "node:events";
import { TestServer } from "@sipkit/core/testing";
import {
  type LocationStore,
  memoryStore,
  Registrar,
  type RegistrarEvents,
  StoreUnavailable,
} from "@sipkit/registrar";
import { sampleBinding } from "@sipkit/registrar/testing";
import { describe, expect, it, vi } from "vitest";
import { adminSite } from "../../examples/admin/admin-site.ts";
import { EventStreams } from "../../examples/admin/event-streams.ts";

const TOKEN = "a-token-of-the-tests";
const ADDRESS = "sip:alice@example.com";

type Ask = (path: string, method?: string) => Promise<Response>;

async function open(list: LocationStore["list"]): Promise<{ ask: Ask; close(): Promise<void> }> {
  const memory = memoryStore();
  const registrar = new Registrar({
    store: {
      read: (key) => memory.read(key),
      update: (key, change) => memory.update(key, change),
      expire: (now, limit) => memory.expire(now, limit),
      nextExpiry: () => memory.nextExpiry(),
      list,
    },
  });
  const server = await TestServer.start(registrar);
  const streams = new EventStreams(registrar.events);
  const site = adminSite({ registrar, streams, token: TOKEN });
  return {
    ask: async (path, method = "GET") =>
      site.request(path, { method, headers: { Authorization: `Bearer ${TOKEN}` } }),
    close: async () => {
      streams.close();
      await server.close();
    },
  };
}

describe("adminSite of examples/admin", () => {
  it.each([
    ["at once", false],
    ["later", true],
  ])(
    "answers 503 with Retry-After while the store is away and says so %s",
    async (_when, later) => {
      const cause = new StoreUnavailable("cut", { retryAfter: 7 });
      const { ask, close } = await open(() => {
        if (later) return Promise.reject(cause);
        throw cause;
      });
      const response = await ask("/registrations");
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "7"]);
      await close();
    },
  );

  it("keeps the cause of a failure to its own log", async () => {
    const log = vi.spyOn(console, "error").mockImplementation(() => {});
    const failure = new Error("the password of the database");
    const { ask, close } = await open(() => {
      throw failure;
    });
    const response = await ask("/registrations");
    expect([response.status, await response.json()]).toEqual([500, { error: "failed" }]);
    expect(log).toHaveBeenCalledWith(failure);
    log.mockRestore();
    await close();
  });

  it("has twenty event streams at once, and another when one has ended", async () => {
    const { ask, close } = await open(() => ({ users: [] }));
    const streams = await Promise.all(Array.from({ length: 20 }, () => ask("/events")));
    expect(streams.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect((await ask("/events")).status).toBe(503);
    await streams[0]?.body?.cancel();
    expect((await ask("/events")).status).toBe(200);
    await close();
  });
});

describe("EventStreams of examples/admin", () => {
  it("tells what pings told, with the time that the answer took", async () => {
    const events = new EventEmitter<RegistrarEvents>();
    const streams = new EventStreams(events);
    const reader = streams.open()?.getReader();
    await reader?.read();
    const binding = sampleBinding(1);
    events.emit("reachable", { addressOfRecord: ADDRESS, binding, roundTripTime: 20.4 });
    events.emit("unreachable", { addressOfRecord: ADDRESS, binding });
    const told = [await reader?.read(), await reader?.read()].map((chunk) => {
      const [, name, data = ""] =
        /^event: (\w+)\ndata: (.*)\n\n$/.exec(`${Buffer.from(chunk?.value ?? [])}`) ?? [];
      const { reachability, roundTripTime, uri } = JSON.parse(data).binding;
      return [name, reachability, roundTripTime, uri];
    });
    expect(told).toEqual([
      ["reachable", "reachable", 20, binding.uri],
      ["unreachable", "unreachable", undefined, binding.uri],
    ]);
    streams.close();
  });

  it("ends the stream of a reader who leaves a thousand events waiting, and no other", async () => {
    const events = new EventEmitter<RegistrarEvents>();
    const streams = new EventStreams(events);
    const [slow, quick] = [streams.open()?.getReader(), streams.open()?.getReader()];
    await quick?.read();
    for (let event = 0; event < 1500; event += 1) {
      events.emit("added", { addressOfRecord: ADDRESS, binding: sampleBinding(event) });
      expect((await quick?.read())?.done).toBe(false);
    }
    let count = 0;
    while ((await slow?.read())?.done === false) count += 1;
    expect(count).toBe(1000);
    streams.close();
    expect((await quick?.read())?.done).toBe(true);
    expect(events.eventNames()).toEqual([]);
  });
});
