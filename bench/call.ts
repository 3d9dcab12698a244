import {
  type Contender,
  compete,
  printRatios,
  printScores,
  type Ratio,
  ratio,
  type Score,
} from "./contest.ts";
import { startKamailio } from "./servers/kamailio.ts";
import { startSipkit } from "./servers/sipkit.ts";
import { runSipp, startSipp } from "./sipp.ts";
import { number } from "./table.ts";
import { hasTool } from "./tools.ts";
import { writeCalls, writeHtdigest, writeUsers } from "./users.ts";
import { freePort, type Server, type Workbench } from "./workbench.ts";

const CALLERS = 10_000;
const CALLEES = 100;
const RATE = 400;
const ROUNDS = 5;
const SECONDS = 4;

const SIPKIT = "sipkit";
const KAMAILIO = "Kamailio";

export interface CallFigures {
  readonly scores: readonly Score[];
  readonly ratios: readonly Ratio[];
}

/** Whole authenticated, record-routed calls over UDP, ours beside Kamailio's. */
export async function benchCall(bench: Workbench): Promise<CallFigures | undefined> {
  if (!hasTool("sipp", "bench call")) return undefined;
  const htdigest = writeHtdigest(bench, CALLERS);
  const servers = [
    await startSipkit(bench, SIPKIT, ["--htdigest", htdigest, "--max-expires", "3600"]),
  ];
  if (hasTool("kamailio", "the comparison with Kamailio")) {
    servers.push(await startKamailio(bench, KAMAILIO, "call.cfg"));
  }
  const contenders: Contender[] = [];
  for (const server of servers) contenders.push(await prepare(bench, server));

  console.log(
    `\nbench call: INVITE 407 ACK INVITE 180 200 ACK BYE 200 over UDP, record-routed, ` +
      `${RATE} calls/s, ${ROUNDS} rounds of ${SECONDS} s.\n` +
      "sipkit is examples/registrar on the built packages.",
  );
  const scores = await compete(contenders, { rounds: ROUNDS, seconds: SECONDS });
  for (const server of servers) await server.stop();
  const [ours, theirs] = scores;
  const ratios =
    ours === undefined || theirs === undefined
      ? []
      : [ratio(ours, theirs, { limit: 1.5, goal: 1.0 })];
  printScores(scores, "call");
  printRatios(SIPKIT, ratios);
  return { scores, ratios };
}

/** Registers the callees from the port on which their phone then waits, and starts the phone. */
async function prepare(bench: Workbench, server: Server): Promise<Contender> {
  const phonePort = await freePort();
  const { failed } = await runSipp(bench, {
    scenario: "register",
    remotePort: server.port,
    localPort: phonePort,
    fields: writeUsers(bench, CALLEES),
    rate: CALLEES,
    calls: CALLEES,
  });
  if (failed > 0) throw new Error(`${server.name} lets ${number(failed)} callees not register`);
  await startSipp(bench, { scenario: "uas", localPort: phonePort });
  const fields = writeCalls(bench, CALLERS, CALLEES);
  const localPort = await freePort();
  return {
    server,
    rate: RATE,
    load: (rate, calls) =>
      runSipp(bench, { scenario: "uac", remotePort: server.port, localPort, fields, rate, calls }),
  };
}
