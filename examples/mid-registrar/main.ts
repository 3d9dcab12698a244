/**
 * A mid-registrar: phones register here every minute, and the registrar behind hears of each once in an hour. It asks
 * the phones for their passwords itself, through us.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/registrar/main.ts --listen udp:127.0.0.1:5070
 *          pnpm exec tsx --conditions=@sipkit/source examples/mid-registrar/main.ts 5060 sip:127.0.0.1:5070
 * Try it:  pnpm exec tsx --conditions=@sipkit/source examples/register-client/main.ts --server sip:127.0.0.1:5060
 */
import { Dispatcher } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { MidRegistrar, withoutPush } from "@sipkit/registrar";

const [port = "5060", upstream = "sip:127.0.0.1:5070"] = process.argv.slice(2);

const mid = new MidRegistrar({ upstream, maxExpires: 60 });
const { events } = mid.registrar;

const server = new Dispatcher({
  legs: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
  domains: ["example.com"],
  receiver: [mid, new Proxy()],
});

events.on("added", ({ addressOfRecord, binding }) =>
  console.log(`${addressOfRecord} is at ${withoutPush(binding.uri)}`),
);
events.on("refreshed", ({ addressOfRecord }) => {
  const { registrationsAbsorbed = 0, registrationsForwarded = 0 } = server.counters();
  console.log(
    `${addressOfRecord} is still there: ${registrationsAbsorbed} absorbed, ${registrationsForwarded} forwarded`,
  );
});
events.on("removed", ({ addressOfRecord }) => console.log(`${addressOfRecord} has gone`));

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
for (const leg of await server.listen()) console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
