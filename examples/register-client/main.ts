/**
 * A client that registers with digest authentication and keeps itself registered; Ctrl-C takes the binding back.
 *
 * Run it:  pnpm start          (the server, in another terminal)
 *          pnpm exec tsx --conditions=@sipkit/source examples/register-client/main.ts
 * Try it:  DEBUG=sipkit:* before the command shows every packet
 */
import { parseArgs } from "node:util";
import { Dispatcher } from "@sipkit/core";
import { Registration } from "./registration.ts";

const { values } = parseArgs({
  options: {
    server: { type: "string", default: "sip:127.0.0.1:5060" },
    user: { type: "string", default: "alice:secret" },
    domain: { type: "string", default: "example.com" },
    expires: { type: "string", default: "60" },
  },
});
const [user = "", password = ""] = values.user.split(":", 2);
const transport = /;transport=tcp/i.test(values.server) ? "tcp" : "udp";

const client = new Dispatcher({ legs: [`${transport}:127.0.0.1:0`] });
await client.listen();
const registration = new Registration({
  server: client,
  addressOfRecord: `sip:${user}@${values.domain}`,
  credentials: { [values.domain]: [user, password] },
  registrar: values.server,
  expires: Number(values.expires),
  log: console.log,
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await registration.stop().catch((error: Error) => console.error(error.message));
    await client.close();
  });
}
await registration.keep();
