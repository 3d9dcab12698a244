import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { certificatePath } from "../certificates/certificates.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { scratchFolder } from "./scratch.ts";
import type { Server } from "./start-server.ts";

export interface SippOptions {
  /** The name of a file in sipp/, without `.xml`. */
  readonly scenario: string;
  readonly server: Server;
  readonly calls: number;
  /** New calls a second. Default 500. */
  readonly rate?: number;
  /** Calls at a time. */
  readonly limit?: number;
  /** `u1` UDP, `t1` one TCP connection, `tn` one for each call, `l1` and `ln` the same of TLS. Default `u1`. */
  readonly transport?: "u1" | "t1" | "tn" | "l1" | "ln";
  /** Lines of the injection file, taken in turn. */
  readonly inject?: readonly string[];
  /** Default a free one. */
  readonly port?: number;
  /** Per cent of the datagrams to lose, each way. */
  readonly lost?: number;
  /**
   * Whether a message that the scenario doesn't await is ignored instead of ending the call: an ACK
   * or a 200 that comes again when an answer was lost or late.
   */
  readonly ignoresUnexpected?: boolean;
  /** Length of a pause without a length of its own, ms. */
  readonly pause?: number;
  /** Seconds after which the run has failed. Default 60. */
  readonly within?: number;
}

export interface SippResult {
  readonly successful: number;
  readonly failed: number;
  /** How often a message was sent or received, repetitions apart: `count("ACK")`, in order of the scenario. */
  count(message: string): readonly number[];
}

/** Debian's can't do TLS; build-sipp.sh makes one that can. */
const SIPP = process.env.SIPP ?? "sipp";

/** Whether the SIPp that is there was built with TLS: `sipp -v` begins with `SIPp v3.6.1-TLS-…`. */
export function sippHasTls(): boolean {
  const { stdout } = spawnSync(SIPP, ["-v"], { encoding: "utf8" });
  if (/SIPp v[^ ]*-TLS/.test(stdout ?? "")) return true;
  process.stderr.write(`interop: skipping SIPp over TLS; ${SIPP} can't do it, see build-sipp.sh\n`);
  return false;
}

// SIPp 3.6 reads a TLS 1.3 session ticket as if a message came with it, and stands still until one does.
const TLS = [
  ...["-tls_version", "1.2"],
  ...["-tls_cert", certificatePath("example", "cert")],
  ...["-tls_key", certificatePath("example", "key")],
];

/** A line of an injection file for who registers or calls: user, credentials, callee. */
export function injected(
  user: string,
  {
    password = "secret",
    callee = "",
  }: { readonly password?: string; readonly callee?: string } = {},
): string {
  return `${user};[authentication username=${user} password=${password}];${callee}`;
}

/** Runs a scenario to its end; a call that fails fails the test, with SIPp's log of errors. */
export async function runSipp(options: SippOptions): Promise<SippResult> {
  const folder = await scratchFolder();
  const { server, calls, lost, limit, pause, within = 60 } = options;
  const { transport = "u1" } = options;
  const isTls = transport.startsWith("l");
  const args = [
    isTls ? (server.tlsAddress ?? "no tls leg") : server.address,
    ...["-sf", new URL(`sipp/${options.scenario}.xml`, import.meta.url).pathname],
    ...["-t", transport],
    ...(isTls ? TLS : []),
    ...["-i", "127.0.0.1", "-bind_local", "-mi", "127.0.0.1", "-ci", "127.0.0.1"],
    ...["-p", `${options.port ?? (await freePort())}`],
    ...["-m", `${calls}`, "-r", `${options.rate ?? 500}`, "-max_socket", "200"],
    ...["-nostdin", "-timeout", `${within}s`, "-timeout_error"],
    ...["-trace_err", "-error_file", "errors.log"],
  ];
  if (limit !== undefined) args.push("-l", `${limit}`);
  if (pause !== undefined) args.push("-d", `${pause}`);
  if (options.ignoresUnexpected) args.push("-default_behaviors", "all,-abortunexp");
  if (lost !== undefined) {
    // As many repetitions as RFC 3261's 64*T1 has room for, and more: with 10 % lost each way, SIPp's
    // own limit of 5 would give up on one call in some thousands.
    args.push("-lost", `${lost}`, "-max_invite_retrans", "12", "-max_non_invite_retrans", "14");
    args.push("-T2", "2000");
  }
  if (options.inject) {
    const file = join(folder, "inject.csv");
    await writeFile(file, `${["SEQUENTIAL", ...options.inject].join("\n")}\n`);
    args.push("-inf", file);
  }

  const sipp = new Program(SIPP, args, { cwd: folder });
  const timer = setTimeout(() => sipp.signal("SIGKILL"), (within + 5) * 1000);
  const exit = await sipp.exit;
  clearTimeout(timer);

  const screen = sipp.output.slice(sipp.output.lastIndexOf("Messages  Retrans"));
  const result: SippResult = {
    successful: counter(screen, "Successful call"),
    failed: counter(screen, "Failed call"),
    count: (message) => {
      const line = `^ *(?:${message} (?:-+>|<-+)|(?:-+>|<-+) ${message}) +(\\d+)`;
      return [...screen.matchAll(new RegExp(line, "gm"))].map(([, count]) => Number(count));
    },
  };
  if (exit !== 0 || result.failed !== 0 || result.successful !== calls) {
    throw new Error(
      `sipp ${options.scenario}: exit ${exit}, ${result.successful} of ${calls} succeeded\n` +
        `${screen}\n${await readLog(join(folder, "errors.log"))}`,
    );
  }
  return result;
}

/** The cumulative value of a counter of the last screen. */
function counter(screen: string, name: string): number {
  const match = new RegExp(`${name} +\\| +\\d+ +\\| +(\\d+)`).exec(screen);
  return Number(match?.[1] ?? Number.NaN);
}

async function readLog(file: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).slice(0, 4_000);
  } catch {
    return "";
  }
}
