import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { nodeQueries } from "./dns-queries.ts";

const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A DNS server that says nothing, and counts what it is asked. */
async function silentServer(): Promise<{ readonly address: string; asked(): number }> {
  const socket = createSocket("udp4");
  let asked = 0;
  socket.on("message", () => {
    asked += 1;
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  cleanups.push(() => socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked: () => asked };
}

describe("questions to a DNS server that says nothing", () => {
  it("are asked in as many rounds as tries says, and fail when timeout is over in each", async () => {
    const { address, asked } = await silentServer();
    const queries = nodeQueries({ servers: [address], timeout: 250, tries: 2 });
    await expect(queries.a("a.example")).rejects.toMatchObject({ code: "ETIMEOUT" });
    expect(asked()).toBe(2);
  });

  it("fail at once when it is closed, and so do later ones", async () => {
    const { address } = await silentServer();
    const queries = nodeQueries({ servers: [address], timeout: 60_000, tries: 1 });
    const questions = [queries.a("a.example"), queries.srv("_sip._udp.a.example")];
    queries.close?.();
    for (const question of questions) {
      await expect(question).rejects.toMatchObject({ code: "ECANCELLED" });
    }
  });
});
