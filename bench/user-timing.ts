/**
 * Whether the time of an answer tells which users exist: wrong passwords of users who exist, who don't, and who are
 * barred, in turn, from a map and from functions that give passwords or HA1s.
 *
 *     npx tsx --conditions=@sipkit/source bench/user-timing.ts
 */

import { pathToFileURL } from "node:url";
import { type AuthorizeOptions, type CredentialsFunction, ha1Of } from "@sipkit/auth";
import { DigestServer, type Phone } from "./digest-server.ts";
import { median } from "./statistics.ts";
import { number, printTable } from "./table.ts";

const KINDS = ["exists", "absent", "barred"] as const;
type Kind = (typeof KINDS)[number];

const NAMES = 500;
const ROUNDS = 12_000;
const WARM_UP = 3_000;
/** More than this, a thousandth of what a network's round trips vary by, would need a second look. */
const NOTABLE_NS = 250;

const users: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from({ length: NAMES }, (_, i) => [`exists-${i}`, "secret"]),
);
const ha1s: ReadonlyMap<string, string> = new Map(
  ["exists", "barred"].flatMap((kind) =>
    Array.from({ length: NAMES }, (_, i) => {
      const user = `${kind}-${i}`;
      return [user, ha1Of(user, "example.com", "secret")] as const;
    }),
  ),
);

/** As an operator writes it: who is barred is nobody. */
const isBarred = (user: string): boolean => user.startsWith("barred-");

const passwords: CredentialsFunction = (user) => {
  const isKnown = ha1s.has(user);
  return isKnown && !isBarred(user) ? "secret" : undefined;
};

const hashes: CredentialsFunction = (user) => {
  const ha1 = ha1s.get(user);
  return ha1 === undefined || isBarred(user) ? undefined : { ha1: { MD5: ha1 } };
};

const SOURCES: Readonly<Record<string, NonNullable<AuthorizeOptions["credentials"]>>> = {
  "a map": users,
  "a function, passwords": passwords,
  "a function, HA1s": hashes,
};

/** What wrong passwords of one kind of user took, beside those of users who exist in the same round. */
interface Difference {
  /** The median of the differences, in nanoseconds. */
  readonly nanoseconds: number;
  /** In how many of a hundred rounds they took longer: 50 says nothing. */
  readonly slower: number;
}

/** By source: what users who exist take, in nanoseconds, and what tells the others from them. */
export type TimingFigures = Readonly<
  Record<string, Readonly<Record<"absent" | "barred", Difference>> & { readonly exists: number }>
>;

export async function run(): Promise<TimingFigures> {
  console.log(
    `\nbench user-timing: ${ROUNDS} wrong passwords of each kind, one at a time, in turn`,
  );
  const figures: Record<string, TimingFigures[string]> = {};
  for (const [name, credentials] of Object.entries(SOURCES)) {
    const { exists, absent, barred } = await measure(await DigestServer.start(credentials, "MD5"));
    figures[name] = {
      exists: median(exists),
      absent: differenceOf(absent, exists),
      barred: differenceOf(barred, exists),
    };
  }
  const cells = ({ nanoseconds, slower }: Difference): string =>
    `${number(nanoseconds)} (${number(slower, 1)} %)`;
  printTable(
    ["credentials", "exists, ns", "absent: more ns (slower)", "barred: more ns (slower)"],
    Object.entries(figures).map(([name, { exists, absent, barred }]) => [
      name,
      number(exists),
      cells(absent),
      cells(barred),
    ]),
  );
  const isEven = Object.values(figures).every(({ absent, barred }) =>
    [absent, barred].every(({ nanoseconds }) => Math.abs(nanoseconds) <= NOTABLE_NS),
  );
  console.log(`  ${isEven ? "nothing to tell users by" : `over ${NOTABLE_NS} ns: look again`}`);
  return figures;
}

function differenceOf(times: readonly number[], exists: readonly number[]): Difference {
  const differences = times.map((time, i) => time - (exists[i] ?? 0));
  const slower = differences.filter((difference) => difference > 0).length;
  return { nanoseconds: median(differences), slower: (100 * slower) / differences.length };
}

async function measure(server: DigestServer): Promise<Readonly<Record<Kind, readonly number[]>>> {
  const times: Record<Kind, number[]> = { exists: [], absent: [], barred: [] };
  let call = 0;
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    // Another one is the first in each round.
    for (let i = 0; i < KINDS.length; i++) {
      const kind = KINDS[(i + Math.abs(round)) % KINDS.length] ?? "exists";
      call += 1;
      const user = `${kind}-${Math.abs(round) % NAMES}`;
      const phone: Phone = { user, password: "wrong", call };
      const { sent } = server.receive([server.first(phone)]);
      const { spent, sent: answers } = server.receive([server.second(phone, sent[0] ?? "")]);
      if (!answers[0]?.startsWith("SIP/2.0 401 ")) throw new Error(`not refused: ${answers[0]}`);
      if (round >= 0) times[kind].push(spent);
    }
  }
  await server.close();
  return times;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await run();
