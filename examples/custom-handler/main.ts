/**
 * Three handlers as a third party would write them: a scanner dropper (a function), a logger (a class with a hook on the
 * way out), and a timer around another handler (`wrap`). Each is a file of its own beside this one.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/custom-handler/main.ts
 * Try it:  sipsak -vv -s sip:alice@127.0.0.1:5060      (404, logged and timed)
 *          sipsak -vv -j "User-Agent: friendly-scanner" -s sip:alice@127.0.0.1:5060      (no answer)
 */
import { Dispatcher } from "@sipkit/core";
import { Registrar } from "@sipkit/registrar";
import { dropScanners } from "./drop-scanners.ts";
import { Logger } from "./logger.ts";
import { timed } from "./timed.ts";

const port = process.argv[2] ?? "5060";

const server = new Dispatcher({
  legs: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
  domains: ["example.com"],
  receiver: [
    dropScanners,
    new Logger(console.log),
    timed(new Registrar(), (name, ms) => console.log(`   ${name} took ${ms.toFixed(3)} ms`)),
  ],
});

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
for (const leg of await server.listen()) console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
