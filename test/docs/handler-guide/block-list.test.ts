import { ask } from "@sipkit/core/testing";
import { expect, it } from "vitest";
import { blockList } from "./block-list.ts";
import { dropBanned } from "./drop-banned.ts";

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

it("leaves a banned address without an answer", async () => {
  const from = { address: "192.0.2.66" };
  const { verdict, sent } = await ask(
    dropBanned(new Set([from.address])),
    "OPTIONS sip:bob@example.com SIP/2.0",
    { from },
  );
  expect([verdict, sent]).toEqual(["drop", []]);
});
