import { type Contender, compete, printRatios, printScores, ratio, type Score } from "./contest.ts";
import { startKamailio } from "./servers/kamailio.ts";
import { type Redis, startRedis } from "./servers/redis.ts";
import { startSipkit } from "./servers/sipkit.ts";
import { runSipp } from "./sipp.ts";
import { number } from "./table.ts";
import { hasTool } from "./tools.ts";
import { writeHtdigest, writeUsers } from "./users.ts";
import { freePort, type Server, type Workbench } from "./workbench.ts";

const USERS = 10_000;
const RATE = 2_500;
const ROUNDS = 5;
const SECONDS = 3;
const KAMAILIO = "Kamailio, in memory";

/** Digest registrations over UDP with each store, and with Kamailio's, which is in its memory. */
export async function benchServedStores(bench: Workbench): Promise<readonly Score[] | undefined> {
  if (!hasTool("sipp", "bench stores over UDP")) return undefined;
  const fields = writeUsers(bench, USERS);
  const redis = await startRedis(bench.folder);
  try {
    const contenders: Contender[] = [];
    for (const server of await startServers(bench, redis)) {
      const localPort = await freePort();
      const remotePort = server.port;
      contenders.push({
        server,
        rate: RATE,
        load: (rate, calls) =>
          runSipp(bench, { scenario: "register", remotePort, localPort, fields, rate, calls }),
      });
    }
    console.log(
      `\nstores over UDP: digest registrations, ${number(USERS)} users, ${number(RATE)}/s, ` +
        `${ROUNDS} rounds of ${SECONDS} s. CPU is that of the server, and of Redis beside it.`,
    );
    const scores = await compete(contenders, { rounds: ROUNDS, seconds: SECONDS });
    printScores(scores, "registration");
    const theirs = scores.find(({ name }) => name === KAMAILIO);
    for (const ours of scores) {
      if (theirs !== undefined && ours !== theirs) printRatios(ours.name, [ratio(ours, theirs)]);
    }
    for (const { server } of contenders) await server.stop();
    return scores;
  } finally {
    redis?.process.kill();
  }
}

async function startServers(bench: Workbench, redis: Redis | undefined): Promise<Server[]> {
  const htdigest = writeHtdigest(bench, USERS);
  const start = (name: string, store: string): Promise<Server> => {
    const options = ["--htdigest", htdigest, "--max-expires", "3600", "--store", store];
    return startSipkit(bench, name, options);
  };
  const servers = [
    await start("memory", "memory"),
    await start("lmdb", `lmdb:${bench.file("lmdb")}`),
  ];
  if (redis !== undefined) {
    const server = await start("redis", redis.url);
    const { pid } = redis.process;
    servers.push({
      ...server,
      pids: () => (pid === undefined ? server.pids() : [...server.pids(), pid]),
    });
  }
  if (hasTool("kamailio", "the comparison with Kamailio")) {
    servers.push(await startKamailio(bench, KAMAILIO, "register.cfg"));
  }
  return servers;
}
