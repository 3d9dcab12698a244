import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type RedisStoreOptions, redisStore } from "@sipkit/store-redis";
import { afterEach, describe, expect, inject, it } from "vitest";
import { cleanups } from "../kit/cleanups.ts";
import { endPrograms } from "./program.ts";
import { eventually, startRedis, startSentinel } from "./redis.ts";
import { refresh, UNAVAILABLE } from "./redis-kit.ts";
import { removeScratchFolders } from "./scratch.ts";

/** A server that takes connections and says nothing, as one that stands still; and the connections that it has. */
async function startMute(): Promise<{ readonly url: string; readonly sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `redis://127.0.0.1:${port}`, sockets };
}

function open(options: RedisStoreOptions): ReturnType<typeof redisStore> {
  const store = redisStore(options);
  cleanups.push(() => store.close());
  return store;
}

describe.skipIf(inject("missingTools").includes("redis-server"))("redisStore", () => {
  afterEach(async () => {
    await endPrograms();
    await removeScratchFolders();
  });

  it("finds the master by the other sentinels when the first one says nothing", async () => {
    const mute = await startMute();
    const master = await startRedis();
    const sentinel = await startSentinel(master);
    const urls = [mute.url, sentinel.url];
    const store = open({ sentinel: { urls, name: "main" }, timeout: 500 });
    expect(await eventually(() => refresh(store))).toBe(1);
    await eventually(async () => expect(mute.sockets.size).toBe(0));
  });

  it("keeps no connection to a server that says nothing, however often it tries", async () => {
    const mute = await startMute();
    const store = open({ url: mute.url, timeout: 50 });
    await expect(refresh(store)).rejects.toMatchObject(UNAVAILABLE);
    await sleep(1000);
    expect(mute.sockets.size).toBeLessThanOrEqual(1);
  });
});
