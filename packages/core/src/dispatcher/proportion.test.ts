import { expect, it } from "vitest";
import type { Packet } from "../chain/handler.ts";
import { TestServer } from "../testing/test-server.ts";

/** Malformed, and answered in 76 bytes. */
const TINY = "A b SIP/2.0\r\nv:SIP/2.0/UDP a\r\n\r\n";
const LONGER = TINY.replace("A b", `A b${"c".repeat(30)}`);

it.each([
  ["udp:192.0.2.1:5060", TINY, 0],
  ["udp:192.0.2.1:5060", LONGER, 1],
  ["tcp:192.0.2.1:5060", TINY, 1],
] as const)("malformed bytes are answered in proportion: %s", async (leg, wire, count) => {
  const server = await TestServer.start(() => undefined, { leg });
  const { sent } = await server.ask({ toWire: () => wire } as Packet);
  expect(sent).toHaveLength(count);
  expect(server.dispatcher.counters()).toMatchObject({ malformedMessages: 1 });
  await server.close();
});
