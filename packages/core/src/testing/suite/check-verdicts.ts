import assert from "node:assert/strict";
import { isClaim } from "../../chain/verdict.ts";
import { ParseError } from "../../errors.ts";
import { parsePacket } from "../../message/parse.ts";
import type { HandlerBench } from "./handler-bench.ts";
import type { HandlerCheck } from "./handler-check.ts";
import { everyKind, Numbered, strayResponses } from "./samples.ts";

/** That a handler says of a packet what it may, and answers once. */
export function checkVerdicts(
  check: HandlerCheck,
  ignores: readonly string[],
  takes: readonly string[],
): void {
  if (ignores.length > 0) {
    check("passes on what is not its own", async (bench) => {
      const numbered = new Numbered();
      for (const text of ignores) {
        assert.ok(!(await isClaimed(bench, numbered.wire(text))), `it claimed ${text}`);
      }
      assert.deepEqual(bench.faults, []);
    });
  }

  if (takes.length > 0) {
    check("takes what is its own", async (bench) => {
      const numbered = new Numbered();
      for (const text of takes) {
        assert.ok(await isClaimed(bench, numbered.wire(text)), `it passed on ${text}`);
      }
      await bench.rest();
      assert.deepEqual(bench.faults, []);
    });
  }

  check("gives requests of every kind a right verdict, and one answer at most", async (bench) => {
    const numbered = new Numbered();
    for (const text of [...takes, ...ignores, ...everyKind()]) {
      for (const protocol of ["udp", "tcp"] as const) {
        const wire = numbered.wire(text);
        bench.arrive(wire, protocol);
        await bench.settle();
        // A retransmission, and a CANCEL where something may be cancelled.
        bench.arrive(wire, protocol);
        if (wire.startsWith("INVITE ")) {
          bench.arrive(
            wire.replaceAll("INVITE ", "CANCEL ").replace(/CSeq: 1 INVITE/i, "CSeq: 1 CANCEL"),
            protocol,
          );
        }
        await bench.settle();
      }
    }
    await bench.rest();
    assert.deepEqual(bench.faults, []);
    assert.deepEqual(answeredTwice(bench.sent), []);
  });

  check("neither answers responses nor trips over them", async (bench) => {
    for (const wire of strayResponses()) bench.arrive(wire);
    await bench.rest();
    assert.deepEqual(bench.faults, []);
  });
}

async function isClaimed(bench: HandlerBench, wire: string): Promise<boolean> {
  bench.said.length = 0;
  bench.arrive(wire);
  await bench.clock.advance(1000);
  return bench.said.some(({ verdict }) => isClaim(verdict));
}

/**
 * The transactions to which final responses of two kinds went. The same one twice is a retransmission, or answers one: an
 * answer that leaves nothing here is made anew, and may have another nonce.
 */
function answeredTwice(sent: readonly string[]): readonly string[] {
  const finals = new Map<string, number>();
  const twice = new Set<string>();
  for (const wire of sent) {
    try {
      const packet = parsePacket(wire);
      if (packet.isRequest || packet.status < 200) continue;
      const key = `${packet.branch} ${packet.method}`;
      const first = finals.get(key) ?? packet.status;
      finals.set(key, first);
      if (first !== packet.status) twice.add(`${key}: ${first} and ${packet.status}`);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  }
  return [...twice];
}
