import { type Server, SipError } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { expect, it } from "vitest";
import { readPush } from "./push-options.ts";
import { type PushOutcome, PushSender } from "./push-sender.ts";

it("wakes ten thousand devices in `minInterval` and no more", async () => {
  let started: Server | undefined;
  const server = await TestServer.start({
    start(given) {
      started = given;
    },
    receive: () => undefined,
  });
  const settings = readPush({ providers: { acme: () => undefined } }, 300);
  if (started === undefined || settings === undefined) throw new SipError("SIP_TEST", "no server");
  const sender = new PushSender(started, settings, () => undefined);
  const wake = (prid: number): PushOutcome =>
    sender.send({ provider: "acme", param: undefined, prid: String(prid) }, "sip:a@example.com", {
      reason: "refresh",
    });
  for (let prid = 0; prid < 10_000; prid += 1) wake(prid);
  expect([wake(10_000), wake(0)]).toEqual(["refused", "recent"]);
  expect(server.dispatcher.counters()).toMatchObject({ pushesOverLimit: 1, pushesSent: 10_000 });
  await server.clock.advance(5000);
  expect(wake(10_000)).toBe("sent");
});
