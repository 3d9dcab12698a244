/**
 * Digest registrations (REGISTER, 401, REGISTER, 200) without a socket below and a registrar behind: what the hash costs.
 *
 *     npx tsx --conditions=@sipkit/source bench/digest.ts
 */

import { pathToFileURL } from "node:url";
import type { HashAlgorithm } from "@sipkit/auth";
import { DigestServer, type Phone } from "./digest-server.ts";
import { median } from "./statistics.ts";
import { number, printTable } from "./table.ts";

const ALGORITHMS: readonly HashAlgorithm[] = ["MD5", "SHA-256", "SHA-512-256"];
const USERS = 10_000;
const BATCH = 500;
const WARM_UP = 10;
const ROUNDS = 60;
/** The bound for SHA-256. */
const LIMIT = 1.1;

export interface DigestFigures {
  /** Microseconds a registration, by algorithm. */
  readonly microseconds: Readonly<Record<string, number>>;
  /** SHA-256 in MD5s. */
  readonly ratio: number;
}

export async function run(): Promise<DigestFigures> {
  const users = Object.fromEntries(Array.from({ length: USERS }, (_, i) => [`user${i}`, `pw${i}`]));
  const servers = await Promise.all(
    ALGORITHMS.map((algorithm) => DigestServer.start(users, algorithm)),
  );
  const times = servers.map((): number[] => []);
  let call = 0;
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    for (const [i, server] of servers.entries()) {
      const phones = Array.from({ length: BATCH }, (): Phone => {
        call += 1;
        return { user: `user${call % USERS}`, password: `pw${call % USERS}`, call };
      });
      const time = registration(server, phones);
      if (round >= 0) times[i]?.push(time);
    }
  }
  await Promise.all(servers.map((server) => server.close()));
  const middles = times.map(median);
  const [md5 = Number.NaN, sha256 = Number.NaN] = middles;
  console.log(`\nbench digest: two requests each, ${ROUNDS} rounds of ${BATCH}, in turn`);
  printTable(
    ["algorithm", "µs a registration", "× MD5"],
    ALGORITHMS.map((name, i) => [
      name,
      number(middles[i] ?? Number.NaN, 1),
      number((middles[i] ?? Number.NaN) / md5, 2),
    ]),
  );
  console.log(`  SHA-256 is to be within ${LIMIT} × MD5`);
  return {
    microseconds: Object.fromEntries(ALGORITHMS.map((name, i) => [name, middles[i] ?? Number.NaN])),
    ratio: sha256 / md5,
  };
}

/** Microseconds a registration; what the phones compute isn't in it. */
function registration(server: DigestServer, phones: readonly Phone[]): number {
  const asked = server.receive(phones.map((phone) => server.first(phone)));
  const seconds = phones.map((phone, i) => server.second(phone, asked.sent[i] ?? ""));
  const answered = server.receive(seconds);
  if (!answered.sent.every((text) => text.startsWith("SIP/2.0 200 "))) {
    throw new Error(`not registered: ${answered.sent[0]}`);
  }
  return (asked.spent + answered.spent) / phones.length / 1000;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await run();
