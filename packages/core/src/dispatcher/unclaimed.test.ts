import { describe, expect, it } from "vitest";
import { onRequest } from "../chain/on-request.ts";
import { ask } from "../testing/ask.ts";

async function statusOf(text: string, methods: readonly string[] = ["INVITE"]): Promise<number> {
  const { sent } = await ask(
    onRequest(methods, () => undefined),
    text,
  );
  const [answer] = sent;
  if (answer === undefined || answer.isRequest) throw new Error("no answer");
  return answer.status;
}

describe("a request that no handler claims", () => {
  it("is answered 200 with Allow, Accept and Supported when it is OPTIONS to ourselves, RFC 3261 §11.2", async () => {
    const { sent } = await ask(
      onRequest("INVITE", () => undefined),
      "OPTIONS sip:192.0.2.1 SIP/2.0",
    );
    const [answer] = sent;
    expect(answer?.isRequest === false && answer.status).toBe(200);
    expect(answer?.headers.getAll("allow")).toEqual(["INVITE", "OPTIONS", "CANCEL", "ACK"]);
    expect(answer?.headers.has("accept")).toBe(true);
    expect(answer?.headers.has("supported")).toBe(true);
    expect(answer?.to.tag).toBeDefined();
  });

  it("is answered in at most twice its length over UDP: a short OPTIONS without what we can do", async () => {
    const short =
      "OPTIONS sip:192.0.2.1 SIP/2.0\nv:SIP/2.0/UDP a;branch=z9hG4bK1\nf:<sip:a>;tag=1\nt:<sip:a>\ni:1\nCSeq:1 OPTIONS\nMax-Forwards:9";
    const allow = async (leg: "udp:192.0.2.1:5060" | "tcp:192.0.2.1:5060"): Promise<number> => {
      const handler = onRequest(["INVITE", "MESSAGE", "SUBSCRIBE", "PUBLISH"], () => undefined);
      const { sent } = await ask(handler, short, { leg });
      const [answer] = sent;
      expect(answer?.isRequest === false && answer.status).toBe(200);
      if (leg.startsWith("udp")) {
        expect(answer?.toWire().length).toBeLessThanOrEqual(2 * (short.length + 10));
      }
      return answer?.headers.getAll("allow").length ?? 0;
    };
    expect(await allow("udp:192.0.2.1:5060")).toBe(0);
    expect(await allow("tcp:192.0.2.1:5060")).toBe(7);
  });

  it.each([
    ["100rel, path", "100rel"],
    ["Path", undefined],
    ["a, b", "a, b"],
  ])(
    "is answered 420 when it is OPTIONS that requires what we don't have: %s, RFC 3261 §8.2.2.3",
    async (tags, unsupported) => {
      const handler = onRequest("INVITE", () => undefined);
      const { sent } = await ask(handler, `OPTIONS sip:192.0.2.1 SIP/2.0\nRequire: ${tags}`);
      const [answer] = sent;
      expect(answer?.isRequest === false && answer.status).toBe(
        unsupported === undefined ? 200 : 420,
      );
      expect(answer?.headers.getAll("unsupported").join(", ")).toBe(unsupported ?? "");
    },
  );

  it("is answered 400 when what it requires can't be read", async () => {
    expect(await statusOf("OPTIONS sip:192.0.2.1 SIP/2.0\nRequire: a b")).toBe(400);
  });

  it("is answered 501 when nobody knows its method, RFC 3261 §8.2.1", async () => {
    expect(await statusOf("BREW sip:bob@example.com SIP/2.0")).toBe(501);
  });

  it("is answered 405 when its method is known but not wanted, RFC 3261 §8.2.1", async () => {
    expect(await statusOf("MESSAGE sip:bob@example.com SIP/2.0")).toBe(405);
  });

  it("is answered 404 when it is for a user, RFC 3261 §8.2.2.1", async () => {
    expect(await statusOf("INVITE sip:bob@example.com SIP/2.0")).toBe(404);
  });

  it("is answered 481 when its To has a tag, RFC 3261 §12.2.2", async () => {
    expect(
      await statusOf("INVITE sip:bob@example.com SIP/2.0\nTo: <sip:bob@example.com>;tag=x"),
    ).toBe(481);
  });

  it("is answered 416 when its URI has a scheme that nobody here knows, RFC 3261 §8.2.2.1", async () => {
    expect(await statusOf("INVITE mailto:bob@example.com SIP/2.0")).toBe(416);
  });

  it("is dropped when it is an ACK", async () => {
    const { sent } = await ask(() => undefined, "ACK sip:bob@example.com SIP/2.0");
    expect(sent).toEqual([]);
  });
});
