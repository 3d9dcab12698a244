import { Authorize } from "@sipkit/auth";
import { Dispatcher, ReceiveChain } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

const server = new Dispatcher({
  legs: ["udp:127.0.0.1:0"],
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
const [leg] = await server.listen();
process.stdout.write(`listening on ${leg.port}\n`);
process.once("SIGTERM", () => server.close());
