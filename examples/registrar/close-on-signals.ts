import type { Dispatcher } from "@sipkit/core";

/** Ends a server on SIGINT and SIGTERM, and gives what is under way two seconds. */
export function closeOnSignals(server: Dispatcher): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      console.log(`${signal}: closing`);
      server.close({ within: 2000 }).catch((error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      });
    });
  }
}
