import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Dispatcher, Request } from "@sipkit/core";
import { expect, it } from "vitest";
import { cleanups } from "../kit/cleanups.ts";

const OPTIONS = [
  "OPTIONS sip:example.com SIP/2.0",
  "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1",
  "From: <sip:alice@example.com>;tag=1",
  "To: <sip:example.com>",
  "Call-ID: 1",
  "CSeq: 1 OPTIONS",
  "Content-Length: 0",
  "\r\n",
].join("\r\n");

it("4 MiB of our datagrams wait for the kernel: what is sent beyond that fails", async () => {
  const dispatcher = new Dispatcher({ legs: ["udp:127.0.0.1:0"] });
  const [leg] = await dispatcher.listen();
  cleanups.push(() => dispatcher.close());
  // To itself: nothing is read before this turn is over.
  const uri = `sip:127.0.0.1:${leg?.port}`;
  const ends: string[] = [];
  for (let call = 0; call < 70; call += 1) {
    const request = new Request("MESSAGE", uri, {
      headers: {
        From: "<sip:alice@example.com>;tag=1",
        To: `<${uri}>`,
        "Call-ID": `${call}`,
        CSeq: "1 MESSAGE",
        "Max-Forwards": "70",
      },
      body: "x".repeat(64_000),
    });
    dispatcher.request(request, {
      observer: {
        response: ({ status }) => ends.push(`${status}`),
        failed: ({ code }) => ends.push(code),
      },
    });
  }
  await expect.poll(() => dispatcher.counters().failedSends).toBeGreaterThan(3);
  const { sendErrors, failedSends } = dispatcher.counters();
  expect(sendErrors).toBe(failedSends);
  expect(ends.filter((end) => end === "SIP_TRANSPORT")).toHaveLength(sendErrors ?? 0);
  expect(sendErrors).toBeLessThan(10);
});

it("datagrams that come faster than they are read are lost in the kernel, and nothing else is", async () => {
  const dispatcher = new Dispatcher({ legs: ["udp:127.0.0.1:0"], domains: ["example.com"] });
  const [leg] = await dispatcher.listen();
  const phone = createSocket("udp4");
  cleanups.push(
    () => dispatcher.close(),
    () => phone.close(),
  );
  phone.connect(leg?.port ?? 0, "127.0.0.1");
  await once(phone, "connect");
  const noise = Buffer.from(`no SIP ${"x".repeat(1_000)}`);
  const sent = 20_000;
  for (let count = 0; count < sent; count += 1) phone.send(noise);
  let quiet = 0;
  let last = -1;
  await expect
    .poll(
      () => {
        const { malformedMessages = 0 } = dispatcher.counters();
        quiet = malformedMessages === last && malformedMessages > 0 ? quiet + 1 : 0;
        last = malformedMessages;
        return quiet;
      },
      { timeout: 10_000 },
    )
    .toBe(3);
  expect(last).toBeLessThan(sent);
  expect(dispatcher.counters()).toMatchObject({ receiveErrors: 0 });
  phone.send(OPTIONS);
  const [answer] = await once(phone, "message");
  expect(String(answer)).toMatch(/^SIP\/2\.0 \d{3} /);
}, 20_000);
