import { expect, it } from "vitest";
import { screenedServer } from "./screened-server.ts";

it("listens, and is idle when it is closed", async () => {
  const facts: object[] = [];
  const server = screenedServer(
    ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"],
    async () => 0,
    (fact) => facts.push(fact),
  );
  const legs = await server.listen();
  expect(legs.map(({ protocol, port }) => [protocol, port > 0])).toEqual([
    ["udp", true],
    ["tcp", true],
  ]);
  await server.close();
  expect(Object.values(server.stats()).every((count) => count === 0)).toBe(true);
  expect(facts).toEqual([]);
});
