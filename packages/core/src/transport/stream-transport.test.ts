import { connect, createServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Peer } from "../arrival.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { serverListener } from "./server-listener.ts";
import { StreamTransport } from "./stream-transport.ts";

describe("stream transport", () => {
  it("gives up a connection that nobody answers", async () => {
    const clock = new VirtualClock();
    const transport = new StreamTransport(
      { protocol: "tcp", address: "127.0.0.1", port: 0 },
      {
        listener: (door) => serverListener(createServer(), door),
        connect: () => connect({ host: "nobody", port: 1, lookup() {} }),
      },
      { clock, ids: () => 1 },
    );
    const failures: { readonly message: string; readonly to: Peer }[] = [];
    let closed = 0;
    await transport.listen({
      message() {},
      malformed() {},
      failed: ({ message }, to) => failures.push({ message, to }),
      closed() {
        closed += 1;
      },
    });
    const to: Peer = { protocol: "tcp", address: "192.0.2.1", port: 5060 };
    transport.send("x", to);
    await clock.advance(9_999);
    expect(failures).toEqual([]);
    expect(transport.stats()).toEqual({ connections: 1 });
    await clock.advance(1);
    await setImmediate();
    expect(failures).toEqual([{ message: "tcp to 192.0.2.1:5060: no answer in time", to }]);
    expect(closed).toBe(1);
    expect(transport.stats()).toEqual({ connections: 0 });
    await transport.close();
  });
});
