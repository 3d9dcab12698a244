import { join } from "node:path";
import { freePort, type Server, type Workbench } from "../workbench.ts";

/** Starts the registrar of Perl's Net::SIP. */
export async function startNetSip(bench: Workbench, name: string): Promise<Server> {
  const port = await freePort();
  return bench.serve({
    name,
    port,
    command: "perl",
    args: [join(import.meta.dirname, "net-sip.pl"), `127.0.0.1:${port}`],
  });
}
