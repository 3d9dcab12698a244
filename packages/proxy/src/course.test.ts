import { expect, it } from "vitest";
import { Scene } from "./test-kit/scene.ts";

it("an empty Route line is no Route: what is addressed to us stays here", async () => {
  const scene = await Scene.start();
  const alice = await scene.phone("alice");
  const sent = alice.send("MESSAGE", "sip:nobody@example.com", { "X-User": "alice", Route: "" });
  await scene.advance(50);
  expect(sent.statuses).toEqual([404]);
  expect(scene.errors).toEqual([]);
});
