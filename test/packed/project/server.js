import { Authorize } from "@sipkit/auth";
import { Dispatcher, ReceiveChain } from "@sipkit/core";
import { startMetrics } from "@sipkit/metrics";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

const server = new Dispatcher({
  legs: ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"],
  domains: ["example.com"],
  receiver: new ReceiveChain([
    new Authorize({
      realm: "example.com",
      credentials: { alice: "secret" },
      allowPings: true,
    }),
    new Registrar({ minExpires: 10, maxExpires: 3600 }),
    new Proxy(),
  ]),
});
startMetrics({ dispatcher: server });
await server.listen();
process.once("SIGTERM", () => server.close());
