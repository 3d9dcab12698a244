import { certificatePath } from "../test/certificates/certificates.ts";
import { startPhones } from "./load/start-phones.ts";
import type { Transport } from "./load/wire.ts";
import { processorTime } from "./measure.ts";
import { startSipkit } from "./servers/sipkit.ts";
import { median } from "./statistics.ts";
import { number, printTable, spread } from "./table.ts";
import { writeHtdigest } from "./users.ts";
import { freePort, type Workbench } from "./workbench.ts";

const TRANSPORTS: readonly Transport[] = ["udp", "tcp", "tls", "ws", "wss"];
const PHONES = 400;
const RATE = 800;
const SECONDS = 3;
const ROUNDS = 5;

export interface TransportFigures {
  readonly transport: Transport;
  /** Processor time of the server for one registration, µs, in each round. */
  readonly cpu: readonly number[];
  /** Over UDP's, the median of the ratios within a round. */
  readonly toUdp: number;
  readonly failed: number;
}

/** Digest registrations over each transport, each phone with a connection of its own, by what they cost the server. */
export async function benchTransports(bench: Workbench): Promise<readonly TransportFigures[]> {
  const ports = new Map<Transport, number>();
  for (const transport of TRANSPORTS) ports.set(transport, await freePort());
  const server = await startSipkit(bench, "sipkit", [
    ...["--htdigest", writeHtdigest(bench, PHONES), "--max-expires", "3600"],
    ...["--cert", certificatePath("example", "cert"), "--key", certificatePath("example", "key")],
    ...TRANSPORTS.filter((transport) => transport !== "udp").flatMap((transport) => [
      "--listen",
      `${transport}:127.0.0.1:${ports.get(transport)}`,
    ]),
  ]);
  console.log(
    `\nbench transports: digest registrations, ${PHONES} phones with a connection each, ` +
      `${number(RATE)}/s, ${ROUNDS} rounds of ${SECONDS} s.`,
  );
  const contenders = [];
  for (const transport of TRANSPORTS) {
    const port = transport === "udp" ? server.port : (ports.get(transport) as number);
    contenders.push({ transport, phones: await startPhones(transport, port, PHONES) });
  }
  try {
    for (const { phones } of contenders) await phones.load({ rate: RATE, seconds: SECONDS });
    const cpu = contenders.map((): number[] => []);
    const failed = contenders.map(() => 0);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [i, { phones }] of contenders.entries()) {
        const pids = server.pids();
        const before = processorTime(pids);
        const report = await phones.load({ rate: RATE, seconds: SECONDS });
        cpu[i]?.push((processorTime(pids) - before) / (RATE * SECONDS));
        failed[i] = (failed[i] ?? 0) + report.failed;
      }
    }
    return report(cpu, failed);
  } finally {
    for (const { phones } of contenders) phones.stop();
    await server.stop();
  }
}

function report(
  cpu: readonly (readonly number[])[],
  failed: readonly number[],
): readonly TransportFigures[] {
  const udp = cpu[0] ?? [];
  const figures = TRANSPORTS.map((transport, i) => {
    const own = cpu[i] ?? [];
    const toUdp = median(own.map((each, round) => each / (udp[round] ?? Number.NaN)));
    return { transport, cpu: own, toUdp, failed: failed[i] ?? 0 };
  });
  printTable(
    ["transport", "CPU µs a registration", "a CPU second", "to UDP's", "failed"],
    figures.map(({ transport, cpu: own, toUdp, failed: lost }) => [
      transport,
      spread(median(own), own),
      number(1e6 / median(own)),
      number(toUdp, 2),
      number(lost),
    ]),
  );
  return figures;
}
