/**
 * The server of examples/registrar on all cores of a machine: workers that share its ports and, in LMDB, its
 * registrations. Each phone has a worker, which its calls come to, from whichever worker. docs/all-cores.md has the rest.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/workers/main.ts     (Node 22.12, 23.1 or later)
 * Try it:  as examples/registrar; then kill -9 a worker, and call again
 */
import { Dispatcher, udpTransport } from "@sipkit/core";
import { greet } from "../registrar/greet.ts";
import { readOptions, usage, type WorkersOptions } from "./options.ts";
import { Workers } from "./workers.ts";

try {
  await serve(readOptions(process.argv.slice(2), process.env));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  process.exitCode = 1;
}

async function serve(options: WorkersOptions): Promise<void> {
  const { legs, store } = options.registrar;
  // Throws where this Node would not share a port.
  udpTransport("udp:127.0.0.1:0", { reusePort: true });
  // Says what is wrong with them, and that nobody else has these ports: another copy of this would silently share them.
  const trial = new Dispatcher({ legs });
  const shared = await trial.listen();
  await trial.close();

  const workers = new Workers(options);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      console.log(`${signal}: closing`);
      workers.close();
    });
  }
  await workers.start();
  greet(shared, `${store}, by ${options.workers} workers`, options.registrar);
}
