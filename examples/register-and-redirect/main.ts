/**
 * A redirect server: phones register, and callers are told where to call instead of being put through (302).
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/register-and-redirect/main.ts
 * Try it:  sipsak -U -C sip:alice@127.0.0.1:5070 -x 60 -u alice -a secret -s sip:alice@127.0.0.1:5060
 *          sipsak -vv -s sip:alice@127.0.0.1:5060
 */
import { Authorize } from "@sipkit/auth";
import { Dispatcher, ReceiveChain } from "@sipkit/core";
import { Redirect } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

const port = process.argv[2] ?? "5060";

const server = new Dispatcher({
  legs: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
  domains: ["example.com"],
  receiver: [
    // Who registers is asked for a password; who calls is not, since we send nothing on for him.
    new ReceiveChain(
      [new Authorize({ realm: "example.com", credentials: { alice: "secret", bob: "secret" } })],
      { methods: ["REGISTER"] },
    ),
    new Registrar(),
    new Redirect(),
  ],
});

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
for (const leg of await server.listen()) console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
