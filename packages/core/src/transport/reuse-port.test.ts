import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { cleanups } from "../../../../test/kit/cleanups.ts";
import { until } from "../../../../test/kit/until.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { udpTransport } from "./create-transport.ts";
import { TransportLeg } from "./leg.ts";
import type { LegAddress } from "./leg-address.ts";
import { canReusePort, checkReusePort } from "./reuse-port.ts";

/** Peers of which one leg gets none by chance: once in 2^39 times. */
const PEERS = 40;
const MESSAGE = "OPTIONS sip:127.0.0.1 SIP/2.0\r\nContent-Length: 0\r\n\r\n";

/** A leg that shares its port, and the ports that messages came to it from. */
class SharingLeg {
  readonly got: number[] = [];
  readonly leg: TransportLeg;

  constructor(listen: LegAddress) {
    const context = { clock: new VirtualClock(), ids: () => 1 };
    this.leg = new TransportLeg({ listen, reusePort: true }, context);
  }

  async open(): Promise<this> {
    await this.leg.listen({
      message: (_bytes, { port }) => this.got.push(port),
      malformed: (error) => expect.unreachable(String(error)),
      failed: (error) => expect.unreachable(String(error)),
      closed: () => undefined,
    });
    cleanups.push(() => this.leg.close());
    return this;
  }
}

async function openTwo(protocol: "udp" | "tcp"): Promise<readonly [SharingLeg, SharingLeg]> {
  const first = await new SharingLeg(`${protocol}:127.0.0.1:0`).open();
  const second = await new SharingLeg(`${protocol}:127.0.0.1:${first.leg.port}`).open();
  expect(second.leg.port).toBe(first.leg.port);
  return [first, second];
}

describe("reusePort of a leg", () => {
  it.each([
    ["20.20.2", false],
    ["22.11.0", false],
    ["22.12.0", true],
    ["23.0.0", false],
    ["23.1.0", true],
    ["24.0.0", true],
    ["30.1.0", true],
  ])("on Node %s: %s", (version, can) => {
    expect(canReusePort(version)).toBe(can);
    const refusal = expect.objectContaining({ code: "SIP_NO_REUSE_PORT" });
    if (can) expect(() => checkReusePort(version)).not.toThrow();
    else expect(() => checkReusePort(version)).toThrow(refusal);
  });

  it.skipIf(canReusePort())("is refused where Node would not share the port", () => {
    const refusal = expect.objectContaining({ code: "SIP_NO_REUSE_PORT" });
    expect(() => new SharingLeg("udp:127.0.0.1:0")).toThrow(refusal);
    expect(() => udpTransport("udp:127.0.0.1:0", { reusePort: true })).toThrow(refusal);
  });

  it.runIf(canReusePort())("is refused for a server of the caller's", () => {
    const context = { clock: new VirtualClock(), ids: () => 1 };
    expect(() => new TransportLeg({ listen: createServer(), reusePort: true }, context)).toThrow(
      expect.objectContaining({ code: "SIP_BAD_LEG" }),
    );
  });

  it.runIf(canReusePort())("has each peer's datagrams come to one of two legs", async () => {
    const legs = await openTwo("udp");
    const sockets = await Promise.all(
      Array.from({ length: PEERS }, async () => {
        const socket = createSocket("udp4").bind(0, "127.0.0.1");
        await once(socket, "listening");
        cleanups.push(() => socket.close());
        return socket;
      }),
    );
    for (let turn = 1; turn <= 3; turn += 1) {
      for (const socket of sockets) socket.send(MESSAGE, legs[0].leg.port, "127.0.0.1");
      await until(() => legs[0].got.length + legs[1].got.length === turn * PEERS);
    }
    const [first, second] = legs.map(({ got }) => new Set(got));
    expect(first?.size).toBeGreaterThan(0);
    expect(second?.size).toBeGreaterThan(0);
    expect((first?.size ?? 0) + (second?.size ?? 0)).toBe(PEERS);
  });

  it.runIf(canReusePort())("has connections come to each of two legs", async () => {
    const legs = await openTwo("tcp");
    for (let peer = 0; peer < PEERS; peer += 1) {
      const socket = connect(legs[0].leg.port, "127.0.0.1", () => socket.write(MESSAGE));
      cleanups.push(() => socket.destroy());
    }
    await until(() => legs[0].got.length + legs[1].got.length === PEERS);
    for (const { got } of legs) expect(got.length).toBeGreaterThan(0);
  });

  it.runIf(canReusePort())("shares with nobody who doesn't say so", async () => {
    const { leg } = await new SharingLeg("udp:127.0.0.1:0").open();
    const alone = udpTransport(`udp:127.0.0.1:${leg.port}`);
    const sink = { message() {}, malformed() {}, failed() {}, closed() {} };
    await expect(alone.listen(sink)).rejects.toThrow(
      expect.objectContaining({ code: "SIP_LISTEN" }),
    );
  });
});
