import { ask } from "@sipkit/core/testing";
import { expect, it } from "vitest";
import { blockList } from "./block-list.ts";

const handler = blockList(new Set(["sip:mallory@example.net"]));

it("refuses a caller on the list", async () => {
  const { verdict, by } = await ask(
    handler,
    "INVITE sip:bob@example.com SIP/2.0\nFrom: Sales <sip:mallory@example.net>;tag=1",
  );
  expect(verdict).toMatchObject({ status: 607 });
  expect(by).toBe("blockList");
});

it("passes everybody else on", async () => {
  const { verdict } = await ask(handler, "INVITE sip:bob@example.com SIP/2.0");
  expect(verdict).toBeUndefined();
});
