import { join } from "node:path";
import { freePort, type Server, type Workbench } from "../workbench.ts";

/** Shared memory that Kamailio may take, MB; only what is used counts as used. */
const SHARED_MEMORY = 1024;
/** Memory of each process of its own, MB. */
const PACKAGE_MEMORY = 16;

/** Starts Kamailio with a configuration of `bench/kamailio` and names defined for its `#!ifdef`. */
export async function startKamailio(
  bench: Workbench,
  name: string,
  configuration: string,
  defines: readonly string[] = [],
): Promise<Server> {
  const port = await freePort();
  return bench.serve({
    name,
    port,
    command: "kamailio",
    args: [
      ...["-f", join(import.meta.dirname, "..", "kamailio", configuration)],
      ...["-l", `udp:127.0.0.1:${port}`],
      // In the foreground, with its children, errors to the log.
      ...["-DD", "-E", "-Y", bench.folder],
      ...["-m", `${SHARED_MEMORY}`, "-M", `${PACKAGE_MEMORY}`],
      ...defines.flatMap((define) => ["-A", define]),
    ],
  });
}
