import { onRequest, type Target, targets } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { describe, expect, it } from "vitest";
import { CallScreen, type CallScreenOptions } from "./call-screen.ts";
import { spamScoreHeader } from "./spam-score.ts";

/** Stands for the registrar: everybody is reached at one phone. */
const phone: Target = { uri: "sip:bob@192.0.2.7", q: 1, route: [], expiresAt: 0 };
const everybodyIsBob = onRequest("INVITE", (request) => {
  request.set(targets, [phone]);
});

let calls = 0;

function call(...headers: readonly string[]): string {
  calls += 1;
  const via = `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${calls}`;
  return [`INVITE sip:bob@example.com SIP/2.0`, via, `Call-ID: ${calls}`, ...headers].join("\n");
}

async function open(options: Partial<CallScreenOptions>): Promise<TestServer> {
  const screen = new CallScreen({ reputation: async () => 0, ...options });
  return TestServer.start([screen, everybodyIsBob, new Proxy()]);
}

describe("CallScreen", () => {
  it("refuses what is most likely spam, and counts it", async () => {
    const server = await open({ reputation: async () => 0.95 });
    const { verdict, by } = await server.ask(call());
    expect(verdict).toMatchObject({ status: 607 });
    expect(by).toBe("CallScreen");
    expect(server.dispatcher.counters()).toMatchObject({ callsRefusedAsSpam: 1 });
    await server.close();
  });

  it("tells the phone the score of what passes", async () => {
    const server = await open({ reputation: async () => 0.4 });
    const { verdict, sent } = await server.ask(call());
    expect(verdict).toBe("later");
    expect(sent[0]?.isRequest && sent[0].uri).toBe("sip:bob@192.0.2.7");
    expect(sent[0]?.headers.read(spamScoreHeader)).toBe(0.4);
    await server.close();
  });

  it("asks again when a score is too old", async () => {
    let asked = 0;
    const reputation = async (): Promise<number> => {
      asked += 1;
      return 0.95;
    };
    const server = await open({ reputation, keepFor: 60_000 });
    await server.ask(call());
    await server.clock.advance(59_000);
    await server.ask(call());
    expect(asked).toBe(1);
    await server.clock.advance(1000);
    await server.ask(call());
    expect(asked).toBe(2);
    await server.close();
    expect(server.clock.pending).toBe(0);
  });

  it("lets calls pass when the directory is down, and reports it", async () => {
    const server = await open({ reputation: () => Promise.reject(new Error("no route")) });
    const { sent } = await server.ask(call());
    expect(sent[0]?.method).toBe("INVITE");
    expect(server.errors).toMatchObject([{ code: "SIP_ACME_REPUTATION" }]);
    await server.close();
  });

  it("believes a server that it trusts, and nobody else", async () => {
    const server = await open({ trusted: ["192.0.2.200"] });
    const told = call("X-Spam-Score: 0.97");
    const trusted = await server.ask(told, { from: { address: "192.0.2.200" } });
    expect(trusted.verdict).toMatchObject({ status: 607 });
    const stranger = await server.ask(call("X-Spam-Score: 0.97"));
    expect(stranger.sent[0]?.headers.getAll("x-spam-score")).toEqual(["0.00"]);
    await server.close();
  });

  it("answers a malformed score with 400 and a hidden caller with 433", async () => {
    const server = await open({ trusted: ["192.0.2.100"] });
    const malformed = await server.ask(call("X-Spam-Score: high"));
    expect(malformed.sent).toMatchObject([{ status: 400, reason: "Malformed X-Spam-Score" }]);
    const hidden = await server.ask(call("From: <sip:anonymous@anonymous.invalid>;tag=1"));
    expect(hidden.sent).toMatchObject([{ status: 433 }]);
    expect(server.errors).toEqual([]);
    await server.close();
  });
});
