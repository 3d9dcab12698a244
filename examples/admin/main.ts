/**
 * A SIP server whose registrations an operator sees and removes: a JSON interface for programs, and a page that shows
 * them as they come and go. It is for this machine alone, and for who knows the token.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/admin/main.ts
 * Try it:  sipsak -U -C sip:alice@127.0.0.1:5070 -x 60 -u alice -a secret -s sip:alice@127.0.0.1:5060
 *          Open the address that it prints in a browser. Or take the token from there:
 *          curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/registrations
 *          curl -H "Authorization: Bearer $TOKEN" -X DELETE http://127.0.0.1:8080/registrations/sip:alice@example.com
 */
import { randomBytes } from "node:crypto";
import { serve } from "@hono/node-server";
import { Authorize } from "@sipkit/auth";
import { Dispatcher } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { adminSite } from "./admin-site.ts";
import { EventStreams } from "./event-streams.ts";

const [sip = "5060", http = "8080"] = process.argv.slice(2);
const given = process.env.ADMIN_TOKEN;
if (given !== undefined && !/^[\w.~+/-]{20,}$/.test(given)) {
  throw new Error("ADMIN_TOKEN is 20 or more letters, digits and . ~ + / - _");
}
const token = given ?? randomBytes(24).toString("base64url");

const registrar = new Registrar({ qualify: true });
const dispatcher = new Dispatcher({
  legs: [`udp:127.0.0.1:${sip}`, `tcp:127.0.0.1:${sip}`],
  domains: ["example.com"],
  receiver: [
    new Authorize({
      realm: "example.com",
      credentials: { alice: "secret", bob: "secret" },
      allowPings: true,
    }),
    registrar,
    new Proxy(),
  ],
});

for (const leg of await dispatcher.listen())
  console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
const streams = new EventStreams(registrar.events);
const { fetch } = adminSite({ registrar, streams, token });
const site = serve({ fetch, hostname: "127.0.0.1", port: Number(http) }, ({ port }) => {
  // What comes after # stays in the browser: no log of a server or proxy has it.
  console.log(`registrations at http://127.0.0.1:${port}/#${given ? "$ADMIN_TOKEN" : token}`);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    streams.close();
    site.close();
    await dispatcher.close();
  });
}
