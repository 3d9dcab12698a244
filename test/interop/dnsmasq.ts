import { promises } from "node:dns";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";
import { scratchFolder } from "./scratch.ts";

/** A DNS server on loopback. */
export interface DnsServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** The questions that it was asked since the last call, in order, as in `NAPTR sip.test`. */
  asked(): Promise<readonly string[]>;
}

/**
 * Starts dnsmasq for the domain `test` with these lines of its configuration, and nothing of the machine's. What it has
 * no line for doesn't exist there.
 */
export async function startDnsmasq(lines: readonly string[], at?: number): Promise<DnsServer> {
  const port = at ?? (await freePort());
  const file = join(await scratchFolder(), "dnsmasq.conf");
  await writeFile(file, ["local=/test/", ...lines, ""].join("\n"));
  const program = new Program("dnsmasq", [
    ...["--no-daemon", `--conf-file=${file}`, "--no-resolv", "--no-hosts", "--log-queries"],
    ...[`--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces"],
  ]);
  await program.printed(/started, version/);
  const own = new promises.Resolver();
  own.setServers([`127.0.0.1:${port}`]);
  let marks = 0;
  let read = 0;
  return {
    address: `127.0.0.1:${port}`,
    async asked() {
      // What was logged before this question was asked before it.
      const mark = `mark-${++marks}.test`;
      await own.resolve4(mark).catch(() => undefined);
      const { index } = await program.printed(new RegExp(`query\\[A\\] ${mark} `));
      const log = program.output.slice(read, index);
      read = index + mark.length;
      return [...log.matchAll(/ query\[(\w+)\] (\S+) from /g)].map(
        ([, kind, name]) => `${kind} ${name}`,
      );
    },
  };
}
