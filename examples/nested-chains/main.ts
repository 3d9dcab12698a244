/**
 * Chains within chains: passwords for REGISTER alone, calls for everybody in the house, and a chain of its own for what
 * comes from outside.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/nested-chains/main.ts
 * Try it:  sipsak -vv -s sip:nobody@127.0.0.1:5060      (404 without a password: OPTIONS isn't REGISTER)
 */
import { Authorize } from "@sipkit/auth";
import { Dispatcher, type Peer, ReceiveChain } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

const port = process.argv[2] ?? "5060";
const users = { alice: "secret", bob: "secret" };

const isInside = ({ address }: Peer): boolean => address.startsWith("127.") || address === "::1";

const passwordToRegister = new ReceiveChain(
  [new Authorize({ realm: "example.com", credentials: users })],
  { name: "password to register", methods: ["REGISTER"] },
);

const strangersStayOut = new ReceiveChain(
  [(packet) => packet.isRequest && packet.method !== "ACK" && packet.createResponse(403)],
  { name: "strangers stay out", filter: (_packet, _leg, from) => !isInside(from) },
);

const server = new Dispatcher({
  legs: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
  domains: ["example.com"],
  receiver: [strangersStayOut, passwordToRegister, new Registrar(), new Proxy()],
});

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
for (const leg of await server.listen()) console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
