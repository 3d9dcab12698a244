import {
  type Contender,
  compete,
  highestRate,
  printRatios,
  printScores,
  type Ratio,
  ratio,
  type Score,
} from "./contest.ts";
import { startBareResponder } from "./servers/bare.ts";
import { startKamailio } from "./servers/kamailio.ts";
import { startNetSip } from "./servers/net-sip.ts";
import { startSipkit } from "./servers/sipkit.ts";
import { runSipp } from "./sipp.ts";
import { number } from "./table.ts";
import { hasTool } from "./tools.ts";
import { writeHtdigest, writeUsers } from "./users.ts";
import { freePort, type Server, type Workbench } from "./workbench.ts";

const USERS = 10_000;
const RATE = 2_500;
/** Net::SIP does some hundreds in a second. */
const RATE_OF_NET_SIP = 100;
const ROUNDS = 5;
const SECONDS = 3;
const SECONDS_OF_SEARCH = 2;

const BARE = "node:dgram, bare";
const SIPKIT = "sipkit";
const LEAN = "Kamailio, lean";
const REPLAY = "Kamailio, replay protection";
const REPLAY_STATELESS_401 = "Kamailio, the same, stateless 401";
const NET_SIP = "Net::SIP";

export interface RegisterFigures {
  readonly users: number;
  readonly scores: readonly (Score & { readonly highestRate: number })[];
  readonly ratios: readonly Ratio[];
}

/** Digest registrations (REGISTER, 401, REGISTER, 200) over UDP, ours beside others. */
export async function benchRegister(bench: Workbench): Promise<RegisterFigures | undefined> {
  if (!hasTool("sipp", "bench register")) return undefined;
  const fields = writeUsers(bench, USERS);
  const contenders: Contender[] = [];
  for (const server of await startServers(bench)) {
    // One address for the users of a server in all rounds: a phone refreshes its binding.
    const localPort = await freePort();
    const load: Contender["load"] = (rate, calls) =>
      runSipp(bench, {
        scenario: "register",
        remotePort: server.port,
        localPort,
        fields,
        rate,
        calls,
      });
    contenders.push({ server, load, rate: server.name === NET_SIP ? RATE_OF_NET_SIP : RATE });
  }

  console.log(
    `\nbench register: digest registrations over UDP, ${number(USERS)} users, ` +
      `${number(RATE)}/s (Net::SIP ${RATE_OF_NET_SIP}/s), ${ROUNDS} rounds of ${SECONDS} s.\n` +
      "sipkit is examples/registrar on the built packages. " +
      "SIPp shares the processors with the server: the highest rates are those of both together.",
  );
  const rounds = await compete(contenders, { rounds: ROUNDS, seconds: SECONDS });
  const scores: RegisterFigures["scores"][number][] = [];
  for (const [i, contender] of contenders.entries()) {
    const score = rounds[i];
    if (score === undefined) continue;
    scores.push({ ...score, highestRate: await highestRate(contender, score, SECONDS_OF_SEARCH) });
    await contender.server.stop();
  }
  const ratios = ratiosOf(scores);
  printScores(scores, "registration", {
    heading: "highest rate/s",
    cell: (score) => number(score.highestRate),
  });
  printRatios(SIPKIT, ratios);
  return { users: USERS, scores, ratios };
}

async function startServers(bench: Workbench): Promise<readonly Server[]> {
  const servers = [await startBareResponder(bench, BARE)];
  const htdigest = writeHtdigest(bench, USERS);
  servers.push(await startSipkit(bench, SIPKIT, ["--htdigest", htdigest, "--max-expires", "3600"]));
  if (hasTool("kamailio", "the comparison with Kamailio")) {
    const replay = "WITH_REPLAY_PROTECTION";
    servers.push(
      await startKamailio(bench, LEAN, "register.cfg"),
      await startKamailio(bench, REPLAY, "register.cfg", [replay]),
      await startKamailio(bench, REPLAY_STATELESS_401, "register.cfg", [
        replay,
        "WITH_STATELESS_CHALLENGE",
      ]),
    );
  }
  if (hasTool("netSip", "the comparison with Net::SIP")) {
    servers.push(await startNetSip(bench, NET_SIP));
  }
  return servers;
}

function ratiosOf(scores: readonly Score[]): readonly Ratio[] {
  const ours = scores.find(({ name }) => name === SIPKIT);
  const bounds = new Map([
    [LEAN, { limit: 1.5, goal: 1.0 }],
    [REPLAY, { limit: 0.7, goal: 0.5 }],
    [REPLAY_STATELESS_401, {}],
    [BARE, {}],
  ]);
  return scores.flatMap((theirs) => {
    const bound = bounds.get(theirs.name);
    return ours === undefined || bound === undefined ? [] : [ratio(ours, theirs, bound)];
  });
}
