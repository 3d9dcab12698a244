import { describe, expect, it } from "vitest";
import { TestServer } from "../testing/test-server.ts";
import type { Handler } from "./handler.ts";
import { ReceiveChain } from "./receive-chain.ts";
import { wrap } from "./wrap.ts";

interface Listener extends Handler {
  readonly lost: string[];
}

function listener(fails = false): Listener {
  const lost: string[] = [];
  return {
    name: "listener",
    lost,
    receive: (packet) => (packet.isRequest ? packet.createResponse(200) : undefined),
    connectionClosed: (connection, leg) => {
      lost.push(`${connection.id} ${leg.protocol}`);
      if (fails) throw new Error("no use");
    },
  };
}

const OPTIONS = "OPTIONS sip:example.com SIP/2.0";

describe("Handler.connectionClosed", () => {
  it("is told of a connection that ends, once, wherever the handler stands", async () => {
    const [plain, inner, wrapped] = [listener(), listener(), listener()];
    const nested = new ReceiveChain([inner, wrap(wrapped, (next) => next())], {
      methods: ["INVITE"],
    });
    const server = await TestServer.start([plain, nested, new ReceiveChain([inner])], {
      leg: "tcp:192.0.2.1:5060",
    });
    await server.ask(OPTIONS, { from: { port: 1024 } });
    await server.ask(OPTIONS, { from: { port: 1025 } });
    await server.lose(1024);
    expect([plain.lost, inner.lost, wrapped.lost]).toEqual([
      ["1024 tcp"],
      ["1024 tcp"],
      ["1024 tcp"],
    ]);
  });

  it("is told of it after another one threw, which is reported with its name", async () => {
    const [first, second] = [listener(true), listener()];
    const server = await TestServer.start([first, second], { leg: "tcp:192.0.2.1:5060" });
    await server.ask(OPTIONS, { from: { port: 1024 } });
    await server.lose(1024);
    expect(second.lost).toHaveLength(1);
    expect(server.errors).toEqual([
      expect.objectContaining({ code: "SIP_HANDLER_THREW", handler: "listener" }),
    ]);
  });

  it("is not told once handlers are closed", async () => {
    const one = listener();
    const server = await TestServer.start([one], { leg: "tcp:192.0.2.1:5060" });
    await server.ask(OPTIONS, { from: { port: 1024 } });
    await server.close();
    await server.lose(1024);
    expect(one.lost).toEqual([]);
  });
});
