import { spawnSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { REDIS_SERVER } from "./redis.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Tools of `tools` below that this machine lacks. */
    missingTools: readonly string[];
  }
}

const tools: Readonly<Record<string, { readonly try: readonly string[]; readonly deb: string }>> = {
  sipp: { try: ["sipp", "-v"], deb: "sip-tester" },
  sipsak: { try: ["sipsak", "--version"], deb: "sipsak" },
  "Net::SIP": { try: ["perl", "-MNet::SIP", "-e", "1"], deb: "libnet-sip-perl" },
  baresip: { try: ["baresip", "-h"], deb: "baresip" },
  linphonec: { try: ["linphonec", "-v"], deb: "linphone-cli" },
  chromium: { try: ["/usr/bin/chromium", "--version"], deb: "chromium" },
  "redis-server": { try: [REDIS_SERVER, "--version"], deb: "redis-server" },
  dnsmasq: { try: ["dnsmasq", "--version"], deb: "dnsmasq-base" },
};

/** Finds the tools once for all files: a missing one is skipped in one line, and fails with CI set. */
export function setup(project: TestProject): void {
  const missing = Object.keys(tools).filter((name) => !works(tools[name]?.try ?? []));
  project.provide("missingTools", missing);
  if (missing.length === 0) return;
  const packages = missing.map((name) => tools[name]?.deb).join(" ");
  const line = `${missing.join(", ")} missing: sudo apt-get install -y ${packages}`;
  if (process.env.CI) throw new Error(line);
  process.stderr.write(`interop: skipping what needs them; ${line}\n`);
}

/** Whether a command is there; what it exits with varies (`sipp -v` gives 99). */
function works(command: readonly string[]): boolean {
  const [program = "", ...args] = command;
  const { error, status } = spawnSync(program, args, { stdio: "ignore", timeout: 20_000 });
  return error === undefined && (program !== "perl" || status === 0);
}
