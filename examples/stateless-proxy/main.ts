/**
 * A proxy without transactions between two addresses: phones register, calls pass, and neither side learns the other's
 * addresses, since Contacts become the proxy's. Scanners get no answer, and who sends too much gets none for a while.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/stateless-proxy/main.ts
 * Try it:  sipsak -U -C sip:alice@127.0.0.1:5070 -x 60 -u alice -a secret -s sip:alice@127.0.0.1:5060
 *          sipsak -vv -s sip:alice@127.0.0.1:5060      (goes to port 5070; 404 for a user whom nobody knows)
 */
import { Authorize } from "@sipkit/auth";
import { Blocker, byField, byRate, Dispatcher, Dropper } from "@sipkit/core";
import { StatelessProxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

const port = process.argv[2] ?? "5060";

const server = new Dispatcher({
  legs: (["127.0.0.1", "127.0.0.2"] as const).flatMap(
    (address) => [`udp:${address}:${port}`, `tcp:${address}:${port}`] as const,
  ),
  domains: ["example.com"],
  receiver: [
    new Dropper({
      by: [
        byField({ "user-agent": /friendly-scanner|sipvicious/i }),
        byRate({ attempts: 200, interval: 10_000, methods: ["REGISTER", "INVITE", "OPTIONS"] }),
      ],
    }),
    new Blocker({
      block: { SUBSCRIBE: 489, PUBLISH: { status: 405, reason: "No presence here" } },
    }),
    new Authorize({
      realm: "example.com",
      credentials: { alice: "secret", bob: "secret" },
      allowCallsToUs: true,
    }),
    new Registrar(),
    new StatelessProxy({ rewriteContact: true }),
  ],
});

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
for (const leg of await server.listen()) console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
