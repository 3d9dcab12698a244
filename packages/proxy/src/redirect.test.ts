import { dialogRoute, type Packet, type Target, targets, type Verdict } from "@sipkit/core";
import { ask } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { Redirect } from "./redirect.ts";

const target = (uri: string, q: number, expiresAt: number): Target => ({
  uri,
  q,
  route: [],
  expiresAt,
});

/** 2026-01-01, when the tests' clock begins. */
const NOW = 1_767_225_600_000;

const finding =
  (...found: Target[]) =>
  (packet: Packet): Verdict => {
    packet.set(targets, found);
  };

describe("Redirect, RFC 3261 §8.3", () => {
  it("answers 302 with every target, best first, and how long each may be used", async () => {
    const { sent } = await ask(
      [
        finding(
          target("sip:bob@192.0.2.11", 0.25, NOW + 60_999),
          target("sip:bob@192.0.2.12;transport=tcp", 1, NOW + 3_600_000),
          target("mailto:bob@example.com", 0.1, Number.POSITIVE_INFINITY),
        ),
        new Redirect(),
      ],
      "INVITE sip:bob@example.com SIP/2.0",
    );
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ status: 302 });
    expect(sent[0]?.headers.getAll("contact")).toEqual([
      "<sip:bob@192.0.2.12;transport=tcp>;q=1;expires=3600",
      "<sip:bob@192.0.2.11>;q=0.25;expires=60",
      "<mailto:bob@example.com>;q=0.1",
    ]);
  });

  it("answers 480 where there is no target", async () => {
    const { sent } = await ask([finding(), new Redirect()], "MESSAGE sip:bob@example.com SIP/2.0");
    expect(sent[0]).toMatchObject({ status: 480 });
  });

  it("leaves alone what nobody looked up, an ACK, and a request within a dialog", async () => {
    const within = (packet: Packet): Verdict => {
      packet.set(dialogRoute, { side: "a", flow: undefined });
    };
    const found = finding(target("sip:bob@192.0.2.11", 1, NOW));
    expect((await ask(new Redirect(), "INVITE sip:bob@example.com SIP/2.0")).by).toBeUndefined();
    expect((await ask([found, new Redirect()], "ACK sip:bob@example.com SIP/2.0")).sent).toEqual(
      [],
    );
    expect(
      (await ask([found, within, new Redirect()], "BYE sip:bob@example.com SIP/2.0")).by,
    ).toBeUndefined();
  });
});
