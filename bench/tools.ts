import { spawnSync } from "node:child_process";

/** The programs that a benchmark compares with, and how each is asked whether it is there. */
const TOOLS = {
  sipp: { command: "sipp", args: ["-v"], package: "sip-tester" },
  kamailio: { command: "kamailio", args: ["-v"], package: "kamailio" },
  redis: { command: "redis-server", args: ["--version"], package: "redis-server" },
  netSip: { command: "perl", args: ["-MNet::SIP", "-e", "1"], package: "libnet-sip-perl" },
} as const;

/** Whether a tool is installed; says in one line what to install and what is left out otherwise. */
export function hasTool(tool: keyof typeof TOOLS, leftOut: string): boolean {
  const { command, args, package: name } = TOOLS[tool];
  const { error, status } = spawnSync(command, args, { stdio: "ignore" });
  // SIPp ends with 99 after it has told its version.
  if (error === undefined && (status === 0 || tool === "sipp")) return true;
  console.log(`${name} is not installed (apt-get install ${name}): left out: ${leftOut}`);
  return false;
}
