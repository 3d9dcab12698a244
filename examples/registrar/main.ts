/**
 * A SIP server for a domain's phones: digest authentication, registrar, proxy.
 *
 * Run it:  pnpm start
 * Try it:  register a phone as alice@example.com with password "secret" and proxy 127.0.0.1, another as bob, and call.
 */
import { Authorize } from "@sipkit/auth";
import { Dispatcher, type Leg } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { readCertificates } from "./certificates.ts";
import { LineWriter } from "./line-writer.ts";
import { type RegistrarExampleOptions, readOptions, usage } from "./options.ts";

try {
  await serve(readOptions(process.argv.slice(2)));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
  process.exitCode = 1;
}

async function serve(options: RegistrarExampleOptions): Promise<void> {
  const { domain, users, htdigest, minExpires, maxExpires, certificates } = options;
  const registrar = new Registrar({ minExpires, maxExpires });
  const server = new Dispatcher({
    legs: options.legs,
    domains: [domain],
    receiver: [
      new Authorize({ realm: domain, credentials: users, htdigest, allowPings: true }),
      registrar,
      new Proxy(),
    ],
    limits: { maxConnectionsPerAddress: 10_000 },
  });

  const log = new LineWriter();
  for (const event of ["added", "refreshed", "removed", "expired"] as const) {
    registrar.events.on(event, ({ addressOfRecord, binding }) => {
      log.write(`${event} ${addressOfRecord} at ${JSON.stringify(binding.uri)}`);
    });
  }

  const legs = await server.listen();
  if (certificates) {
    process.on("SIGHUP", () => {
      try {
        const fresh = readCertificates(certificates);
        const secure = legs.filter(({ protocol }) => protocol === "tls" || protocol === "wss");
        for (const leg of secure) server.setCertificates(leg, fresh);
        console.log("SIGHUP: new certificates");
      } catch (error) {
        console.error(`SIGHUP: the old certificates stay: ${error}`);
      }
    });
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      console.log(`${signal}: closing`);
      server.close({ within: 2000 }).catch((error: unknown) => {
        console.error(error);
        process.exitCode = 1;
      });
    });
  }
  greet(legs, options);
}

function greet(
  legs: readonly Leg[],
  { domain, users, areDemoUsers }: RegistrarExampleOptions,
): void {
  for (const { protocol, address, port } of legs) {
    const host = address.includes(":") ? `[${address}]` : address;
    console.log(`listening on ${protocol}:${host}:${port}`);
  }
  if (!areDemoUsers) return;
  const [{ address = "", port = 0 } = {}] = legs;
  const host = address.includes(":") ? `[${address}]` : address;
  for (const [user, password] of Object.entries(users)) {
    console.log(
      `demo user sip:${user}@${domain}, password ${JSON.stringify(password)}, proxy ${host}:${port}`,
    );
  }
  console.log(`try: sipsak -vv -s sip:${host}:${port}`);
  console.log(
    `try: sipsak -U -C sip:alice@127.0.0.1:5070 -x 60 -u alice -a secret -s sip:alice@${host}:${port}`,
  );
}
