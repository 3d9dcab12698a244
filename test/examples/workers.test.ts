import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Peer, TransportSink } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { BoundedChannel } from "../../examples/workers/bounded-channel.ts";
import { HandOver } from "../../examples/workers/hand-over.ts";
import { markedRandom, nodeName, ownerOf, type Stray } from "../../examples/workers/stray.ts";
import { canReusePort } from "../../packages/core/src/transport/reuse-port.ts";

const bytes = (...lines: readonly string[]): Uint8Array =>
  Buffer.from([...lines, "Content-Length: 0", "", ""].join("\r\n"), "latin1");
const response = (branch: string): Uint8Array =>
  bytes(
    "SIP/2.0 200 OK",
    `v: SIP/2.0/UDP 192.0.2.1;branch=${branch}`,
    "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK7~x",
  );
/** As a Record-Route names a flow: 22 characters of a hash, a side, and the flow. */
const token = (node: string): string => {
  const flow = `udp,${encodeURIComponent(node)},epoch,192.0.2.1:5060,192.0.2.9:40000`;
  return `${"m".repeat(22)}a${Buffer.from(flow).toString("base64url")}`;
};
const request = (...routes: readonly string[]): Uint8Array =>
  bytes("BYE sip:bob@192.0.2.9 SIP/2.0", ...routes.map((route) => `route : <sip:${route};lr>`));

describe("ownerOf of examples/workers", () => {
  it("gives the worker whose branch a response carries", () => {
    const branch = `z9hG4bK${markedRandom(3).token()}`;
    expect(ownerOf(response(branch), "host")).toBe(3);
    // The second attempt of a proxy's branch.
    expect(ownerOf(response(`z9hG4bK2.${markedRandom(12).token()}.0abcdef`), "host")).toBe(12);
  });

  it("gives the worker whose flow a request's Routes name first", () => {
    const [first, second] = [token(nodeName("host", 2)), token(nodeName("host", 1))];
    expect(ownerOf(request(`${first}@192.0.2.1`, `${second}@192.0.2.1`), "host")).toBe(2);
    expect(ownerOf(request("192.0.2.1", `${second}@192.0.2.1`), "host")).toBe(1);
  });

  it.each([
    ["a response to somebody else's request", response("z9hG4bKabcdef")],
    ["a number that is none of a worker", response("z9hG4bK99999~abc")],
    ["a response without a Via", bytes("SIP/2.0 200 OK")],
    ["a request outside of a dialog", bytes("REGISTER sip:example.com SIP/2.0")],
    ["Routes without a flow", request("192.0.2.1", `${"x".repeat(40)}@192.0.2.1`)],
    ["another machine's node", request(`${token("other/1")}@192.0.2.1`)],
    ["a node that is no worker", request(`${token("host/x")}@192.0.2.1`)],
    ["a Route that can't be read", bytes("BYE sip:b@c SIP/2.0", "Route: <sip:", "Route: ;;")],
    ["a response that can't be read", bytes("SIP/2.0 2000 OK", "Via: ;branch=z9hG4bK1~x")],
    ["nothing", new Uint8Array()],
    ["no SIP", Uint8Array.from({ length: 300 }, (_, i) => i & 255)],
  ])("gives nobody for %s", (_what, datagram) => {
    expect(ownerOf(datagram, "host")).toBeUndefined();
  });
});

it.skipIf(canReusePort())(
  "examples/workers says what it needs on a Node that shares no port",
  { timeout: 60_000 },
  async () => {
    const args = ["--conditions=@sipkit/source", "--import=tsx", "examples/workers/main.ts"];
    const cwd = new URL("../..", import.meta.url).pathname;
    const env = { ...process.env, SIPKIT_SECRET: "a secret of the tests".repeat(2) };
    const refused = promisify(execFile)(process.execPath, args, { cwd, env });
    await expect(refused).rejects.toThrow(/reusePort needs Node 22\.12, 23\.1 or later/);
  },
);

describe("HandOver of examples/workers", () => {
  const start = async (hasRoom: boolean) => {
    const got: Peer[] = [];
    const passed: Stray[] = [];
    let inner: TransportSink | undefined;
    const udp = {
      protocol: "udp",
      listen: async (sink: TransportSink) => {
        inner = sink;
        return { address: "192.0.2.1", port: 5060 };
      },
      send() {},
      close: async () => undefined,
    } as const;
    const pass = (stray: Stray): boolean => hasRoom && passed.push(stray) > 0;
    const handOver = new HandOver(udp, { machine: "host", worker: 1, workers: 2, leg: 4, pass });
    const sink = { malformed() {}, failed() {}, closed() {} };
    await handOver.listen({ ...sink, message: (_bytes, from) => got.push(from) });
    const from: Peer = { protocol: "udp", address: "192.0.2.9", port: 40_000 };
    return { handOver, got, passed, receive: (text: Uint8Array) => inner?.message(text, from) };
  };

  it("keeps what is its own or anybody's, and passes on the rest with its source", async () => {
    const { handOver, got, passed, receive } = await start(true);
    receive(response("z9hG4bK1~own"));
    receive(bytes("REGISTER sip:example.com SIP/2.0"));
    receive(response("z9hG4bK2~gone"));
    expect(got).toHaveLength(3);
    const stray = response("z9hG4bK0~other");
    receive(stray);
    expect(passed).toEqual([{ to: 0, leg: 4, bytes: stray, address: "192.0.2.9", port: 40_000 }]);
    handOver.take({ to: 1, leg: 4, bytes: stray, address: "192.0.2.7", port: 5 });
    expect(got.at(-1)).toEqual({ protocol: "udp", address: "192.0.2.7", port: 5 });
    expect(handOver.counters()).toEqual({ strays: 1, straysDropped: 0 });
  });

  it("counts what it had to drop", async () => {
    const { handOver, got, receive } = await start(false);
    receive(response("z9hG4bK0~other"));
    expect(got).toEqual([]);
    expect(handOver.counters()).toEqual({ strays: 0, straysDropped: 1 });
  });
});

describe("BoundedChannel of examples/workers", () => {
  it("has 1,000 messages on their way, and no more until one is gone", () => {
    const sent: (() => void)[] = [];
    const to = {
      connected: true,
      send: (_message: object, done: (error: Error | null) => void): boolean =>
        sent.push(() => done(null)) > 0,
    };
    const channel = new BoundedChannel();
    for (let message = 0; message < 1_000; message += 1) expect(channel.send(to, {})).toBe(true);
    expect(channel.send(to, {})).toBe(false);
    sent[0]?.();
    expect(channel.send(to, {})).toBe(true);
    expect(channel.send({ ...to, connected: false }, {})).toBe(false);
  });
});
