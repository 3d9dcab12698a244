import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { Dispatcher, parsePacket, type SipError } from "@sipkit/core";
import { SeededRandom, VirtualClock } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

/** A connection's bytes, and where they are cut into chunks. */
export interface Stream {
  readonly messages: readonly string[];
  readonly cuts: readonly number[];
}

const PATIENCE = 400_000;

/**
 * Sends hostile messages over a TCP connection, in chunks, and closes it; checks that what comes back is SIP, that the
 * server has nothing to report, and that nothing of it is left afterwards.
 */
export async function checkStream({ messages, cuts }: Stream): Promise<void> {
  const clock = new VirtualClock();
  const errors: SipError[] = [];
  const dispatcher = new Dispatcher({
    clock,
    random: new SeededRandom(1),
    domains: ["example.com", "biloxi.example.com", "atlanta.example.com"],
    legs: ["tcp:127.0.0.1:0"],
    // Nobody listens there.
    resolver: { resolve: () => [{ protocol: "tcp", address: "127.0.0.1", port: 9 }] },
    receiver: [new Registrar(), new Proxy()],
    onError: (error) => errors.push(error),
  });
  const [leg] = await dispatcher.listen();
  const socket = connect(leg?.port ?? 0, "127.0.0.1");
  await once(socket, "connect");
  let received = "";
  socket.on("data", (piece) => {
    received += piece.toString("latin1");
  });
  // The server may close first.
  socket.on("error", () => undefined);
  const bytes = Buffer.from(messages.join(""), "latin1");
  let start = 0;
  for (const cut of cuts.map((at) => at % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    socket.write(bytes.subarray(start, cut));
    start = cut;
    await setImmediate();
  }
  socket.end(bytes.subarray(start));
  while (!socket.closed) await setImmediate();
  while ((dispatcher.stats().connections ?? 0) > 0) await clock.advance(1000);
  await clock.advance(PATIENCE);
  for (let rest = received.replace(/^(?:\r\n)+/, ""); rest !== ""; ) {
    const message = parsePacket(rest, { head: 200_000, line: 20_000, headers: 600, uri: 20_000 });
    rest = rest.slice(message.toWire().length).replace(/^(?:\r\n)+/, "");
  }
  const alive = Object.entries(dispatcher.stats()).filter(
    ([name, count]) => count !== 0 && name !== "targetsSetAside",
  );
  assert.deepEqual(alive, []);
  await dispatcher.close();
  assert.deepEqual(errors, []);
}
