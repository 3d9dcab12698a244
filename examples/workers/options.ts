import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import {
  type RegistrarExampleOptions,
  readOptions as readRegistrarOptions,
} from "../registrar/options.ts";

/** What the command line says. */
export interface WorkersOptions {
  readonly workers: number;
  /** Worker i is reached by the others, over UDP and TCP of 127.0.0.1, at this port and i. */
  readonly privatePort: number;
  /** All workers', also after a restart: what one has signed, the others know. */
  readonly secret: string;
  readonly registrar: RegistrarExampleOptions;
  /** What `registrar` was read from. */
  readonly args: readonly string[];
}

export const usage: string = `Usage: pnpm exec tsx --conditions=@sipkit/source examples/workers/main.ts [options]
  --workers ${String(availableParallelism()).padEnd(20)}how many; by default as many as this machine runs at once
  --private-port 15060          each worker's own port on 127.0.0.1, that of the first; the others follow
and those of examples/registrar, but for --store memory, which is one process's alone.
The workers' secret is what SIPKIT_SECRET says, else it is kept beside the registrations.
`;

const MOST_WORKERS = 256;
const SECRET_BYTES = 32;
const LEAST_SECRET = 32;

/** Reads the command line. Throws an `Error` whose message says what is wrong with it. */
export function readOptions(
  given: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): WorkersOptions {
  const args = [...given];
  const workers = readNumber(args, "--workers", availableParallelism(), MOST_WORKERS);
  const privatePort = readNumber(args, "--private-port", 15_060, 65_536 - workers);
  const registrar = readRegistrarOptions(args);
  if (registrar.legs.some(({ listen }) => String(listen).endsWith(":0"))) {
    throw new Error("--listen: the workers share a port, so it can't be any free one");
  }
  const secret = env.SIPKIT_SECRET ?? keptSecret(registrar.store);
  // A guessed one opens every phone to calls from anywhere.
  if (secret.length < LEAST_SECRET) {
    throw new Error(
      `SIPKIT_SECRET must have ${LEAST_SECRET} characters at least: openssl rand -hex 32`,
    );
  }
  return { workers, privatePort, secret, registrar, args };
}

/** Takes an option out of a command line. */
function readNumber(args: string[], flag: string, otherwise: number, most: number): number {
  const at = args.indexOf(flag);
  if (at < 0) return otherwise;
  const [, text = ""] = args.splice(at, 2);
  const value = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && value >= 1 && value <= most) return value;
  throw new Error(`${flag} is a number from 1 to ${most}`);
}

/** The secret beside the registrations, which holds as long as they do; it is made where there is none. */
function keptSecret(store: string): string {
  const [, folder] = /^lmdb:(.+)$/.exec(store) ?? [];
  if (folder === undefined) {
    throw new Error(
      "the workers need a store that they share: lmdb:DIR, or with SIPKIT_SECRET Redis",
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, "secret");
  try {
    writeFileSync(file, randomBytes(SECRET_BYTES).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  return readFileSync(file, "utf8");
}
