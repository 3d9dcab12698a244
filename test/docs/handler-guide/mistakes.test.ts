import { type AnyHandler, onRequest, type Request, type Response } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { spamScore } from "./spam-score.ts";

const INVITE = "INVITE sip:bob@example.com SIP/2.0";

async function ask(
  handler: AnyHandler,
  text: string = INVITE,
  wait = 0,
): Promise<{ statuses: readonly number[]; errors: readonly string[] }> {
  const server = await TestServer.start(handler);
  const { sent } = await server.ask(text);
  await server.clock.advance(wait);
  const all = [...sent, ...server.takeSent()] as readonly Response[];
  await server.close();
  return { statuses: all.map(({ status }) => status), errors: server.errors.map((e) => e.code) };
}

describe("mistakes that no type catches", () => {
  it("an answer to an ACK", async () => {
    const answersAll = onRequest("*", (request) => request.createResponse(403));
    const { statuses, errors } = await ask(answersAll, "ACK sip:bob@example.com SIP/2.0");
    expect(statuses).toEqual([]);
    expect(errors).toEqual(["SIP_BAD_VERDICT"]);
  });

  it("a provisional response as the verdict", async () => {
    const rings = onRequest("INVITE", (request) => request.createResponse(180));
    expect(await ask(rings)).toEqual({ statuses: [500], errors: ["SIP_BAD_VERDICT"] });
  });

  it("a claim that nobody answers", async () => {
    const forgets = onRequest("INVITE", () => "later");
    expect(await ask(forgets, INVITE, 181_000)).toEqual({
      statuses: [100, 408],
      errors: ["SIP_UNANSWERED"],
    });
  });

  it("a fact that nobody has set", async () => {
    const needs = onRequest("INVITE", (request) => {
      request.need(spamScore);
    });
    expect(await ask(needs)).toEqual({ statuses: [500], errors: ["SIP_HANDLER_THREW"] });
  });

  it("a header with a line end", async () => {
    const breaks = onRequest("INVITE", (request) => {
      request.headers.set("Subject", "one\r\nRoute: <sip:evil.example>");
    });
    expect(await ask(breaks)).toEqual({ statuses: [500], errors: ["SIP_HANDLER_THREW"] });
  });

  it("two answers", async () => {
    const claimed: Request[] = [];
    const server = await TestServer.start(
      onRequest("INVITE", (request) => {
        claimed.push(request);
        return "later";
      }),
    );
    await server.ask(INVITE);
    for (const request of claimed) {
      server.dispatcher.deliver(request.createResponse(486));
      server.dispatcher.deliver(request.createResponse(603));
    }
    expect(server.takeSent()).toMatchObject([{ status: 486 }]);
    expect(server.errors).toMatchObject([{ code: "SIP_ANSWERED_TWICE" }]);
    await server.close();
  });
});
