import assert from "node:assert/strict";
import type { HandlerBench } from "./handler-bench.ts";
import type { HandlerCheck } from "./handler-check.ts";
import { hostileLines } from "./hostile-headers.ts";
import { Numbered, strayResponses } from "./samples.ts";
import { tortureMessages } from "./torture-messages.ts";

const TARGETS: readonly string[] = [
  "INVITE sip:bob@example.com SIP/2.0",
  "REGISTER sip:example.com SIP/2.0",
  "UPDATE sip:bob@example.com SIP/2.0\nTo: <sip:bob@example.com>;tag=b",
];

/** After how many packets what they have begun may come to its end. */
const BATCH = 200;

/** That what strangers write brings a handler to no fault. */
export function checkHostility(check: HandlerCheck, takes: readonly string[]): void {
  check("survives every message of RFC 4475", async (bench) => {
    for (const [name, wire] of tortureMessages) {
      for (const protocol of ["udp", "tcp"] as const) {
        bench.arrive(wire, protocol);
        await bench.settle();
        assert.deepEqual(bench.faults, [], name);
      }
    }
    await bench.rest();
    assert.deepEqual(bench.faults, []);
  });

  for (const text of new Set([...takes, ...TARGETS])) {
    const [startLine = ""] = text.split("\n", 1);
    check(`survives what strangers write into the headers of ${startLine}`, async (bench) => {
      const numbered = new Numbered();
      await throughAll(bench, hostileLines(), (line) => numbered.wire(text, line));
    });
  }

  check("survives what strangers write into the headers of responses", async (bench) => {
    const [response = ""] = strayResponses();
    await throughAll(bench, hostileLines(), (line) =>
      response.replace("\r\n\r\n", `\r\n${line}\r\n\r\n`),
    );
  });
}

async function throughAll(
  bench: HandlerBench,
  lines: readonly string[],
  write: (line: string) => string,
): Promise<void> {
  for (const [index, line] of lines.entries()) {
    bench.arrive(write(line));
    if (index % BATCH === 0) await bench.rest();
    assert.deepEqual(bench.faults, [], printable(line));
  }
  await bench.rest();
  assert.deepEqual(bench.faults, []);
}

/** For the message of a failing test. */
function printable(line: string): string {
  const text = JSON.stringify(line);
  return text.length > 200 ? `${text.slice(0, 200)}… (${line.length} characters)` : text;
}
