import { once } from "node:events";
import { connect } from "node:net";
import { authorization, Dispatcher, onRequest, type Packet } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";

const START = "OPTIONS sip:bob@example.com SIP/2.0";

function statuses(packets: readonly Packet[]): readonly (number | string)[] {
  return packets.map((packet) => (packet.isRequest ? packet.method : packet.status));
}

/** As many header lines that nobody knows. */
function lines(count: number): string {
  return Array.from({ length: count }, (_, number) => `X-${number}: x`).join("\n");
}

describe("a message over a bound", () => {
  // `completeRequest` puts six headers before these.
  it.each([
    ["a head of 65,536 bytes", `${START}\n${"X: ".padEnd(8_000, "x").concat("\n").repeat(9)}`, 513],
    ["a line of 8,192 bytes", `${START}\n${"Subject: ".padEnd(8_192, "x")}`, 400],
    ["a folded line of 8,192 bytes", `${START}\nSubject: x${"\n xxxxxxxx".repeat(1_000)}`, 400],
    ["256 header lines", `${START}\n${lines(251)}`, 400],
    ["a request-URI of 2,048 bytes", `OPTIONS sip:${"b".repeat(2_048)}@h SIP/2.0`, 414],
    ["a method of 64 bytes", `${"M".repeat(65)} sip:bob@example.com SIP/2.0`, 400],
  ])("is refused and counted: %s", async (_what, text, status) => {
    const server = await TestServer.start(() => expect.fail("no handler may see it"));
    const { sent } = await server.ask(text);
    expect(statuses(sent)).toEqual([status]);
    expect(server.dispatcher.counters()).toMatchObject({ malformedMessages: 1 });
    expect(Object.values(server.dispatcher.stats()).every((count) => count === 0)).toBe(true);
    await server.close();
  });

  it.each([
    ["a line of 8,192 bytes", `${START}\n${"Subject: ".padEnd(8_191, "x")}`],
    ["256 header lines", `${START}\n${lines(250)}`],
    ["a request-URI of 2,048 bytes", `OPTIONS ${"sip:".padEnd(2_048, "b")} SIP/2.0`],
    ["a method of 64 bytes", `${"M".repeat(64)} sip:bob@example.com SIP/2.0`],
  ])("begins one byte, or one line, later: %s", async (_what, text) => {
    const server = await TestServer.start((packet) =>
      packet.isRequest ? packet.createResponse(200) : undefined,
    );
    const { sent } = await server.ask(text);
    expect(statuses(sent)).toEqual([200]);
    await server.close();
  });

  it("is refused and counted on a stream, which is closed: 65,536 bytes", async () => {
    const dispatcher = new Dispatcher({ legs: ["tcp:127.0.0.1:0"] });
    const [leg] = await dispatcher.listen();
    const received = async (wire: string): Promise<string> => {
      const socket = connect(leg?.port ?? 0, "127.0.0.1");
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString("latin1");
      });
      socket.write(wire, "latin1");
      await once(socket, "end");
      socket.destroy();
      return text;
    };
    const head = `${START}\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\n`;
    expect(await received(`${head}Content-Length: 65500\r\n\r\n`)).toMatch(/^SIP\/2\.0 413 /);
    expect(await received(head.padEnd(65_537, "X: y\r\n"))).toMatch(/^SIP\/2\.0 513 /);
    expect(dispatcher.counters()).toMatchObject({ unframeableStreams: 2, malformedMessages: 2 });
    await dispatcher.close();
    expect(dispatcher.stats()).toMatchObject({ connections: 0 });
  });
});

it("credentials of more than 64 parameters are malformed when somebody reads them", async () => {
  const server = await TestServer.start(
    onRequest("*", (request) => {
      request.headers.readAll(authorization);
      return request.createResponse(200);
    }),
  );
  const credentials = (count: number): string => {
    const params = Array.from({ length: count }, (_, number) => `p${number}=x`);
    return `OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK${count}\nAuthorization: Digest ${params}`;
  };
  expect(statuses((await server.ask(credentials(64))).sent)).toEqual([200]);
  expect(statuses((await server.ask(credentials(65))).sent)).toEqual([400]);
  expect(server.dispatcher.counters()).toMatchObject({ malformedHeaders: 1 });
  await server.close();
});

it("the answer to a message at fault has what its first 256 lines say, and no more", async () => {
  const server = await TestServer.start([]);
  // Four lines and the first Via come before the others, the second Via after them.
  const vias = async (others: number): Promise<number> => {
    const via = "Via: SIP/2.0/UDP h;branch=z9hG4bK1";
    const { sent } = await server.ask(`${START}\n${via}\n${lines(others)}\n${via}\nCSeq: none`);
    expect(statuses(sent)).toEqual([400]);
    return sent[0]?.headers.getAll("via").length ?? 0;
  };
  expect(await vias(250)).toBe(2);
  expect(await vias(251)).toBe(1);
  await server.close();
});
