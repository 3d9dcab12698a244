import { certificatePath } from "../certificates/certificates.ts";
import { freePort } from "./free-port.ts";
import { Program } from "./program.ts";

/** What a phone is told to register at: a server, or a proxy before it. */
export interface PhonesServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  /** `127.0.0.1:PORT` of its tls leg, where it has one. */
  readonly tlsAddress?: string;
}

/** examples/registrar as a user starts it, on UDP and TCP of one free loopback port. */
export interface Server extends PhonesServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly program: Program;
  /** Ends it and fails unless it closed cleanly. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** A server that has a tls leg. */
export type TlsServer = Server & { readonly tlsAddress: string };

/** Starts the server for the domain example.com; `args` say who its users are. Bindings are in memory unless they say `--store`. */
export async function startServer(...args: readonly string[]): Promise<Server> {
  return await start(args);
}

/** Starts it with a tls leg, too, whose certificate is `example` of test/certificates. */
export async function startTlsServer(...args: readonly string[]): Promise<TlsServer> {
  const tlsAddress = `127.0.0.1:${await freePort()}`;
  const files = ["--cert", certificatePath("example", "cert")];
  files.push("--key", certificatePath("example", "key"), "--ca", certificatePath("ca", "cert"));
  const server = await start([...args, "--listen", `tls:${tlsAddress}`, ...files]);
  await server.program.printed(new RegExp(`tls:${tlsAddress}`));
  return { ...server, tlsAddress };
}

async function start(args: readonly string[]): Promise<Server> {
  const root = new URL("../../", import.meta.url).pathname;
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const store = args.includes("--store") ? [] : ["--store", "memory"];
  const listen = ["--listen", `udp:${address}`, "--listen", `tcp:${address}`];
  // What `pnpm start` runs, without tsx's own process: it kills a server that it finds slow to end.
  const program = new Program(
    process.execPath,
    [
      ...["--conditions=@sipkit/source", "--import", "tsx"],
      ...["examples/registrar/main.ts", ...listen, "--domain", "example.com", ...store, ...args],
    ],
    { cwd: root },
  );
  await program.printed(new RegExp(`udp:${address}`));
  await program.printed(new RegExp(`tcp:${address}`));
  return {
    host: "127.0.0.1",
    port,
    address,
    program,
    async stop(signal = "SIGTERM") {
      const exit = await program.end(signal);
      if (exit !== 0) throw program.failure(`ended with ${exit} after ${signal}`);
    },
  };
}

/** `--user` for each name, the password of everybody being `secret`. */
export function users(...names: readonly string[]): string[] {
  return names.flatMap((name) => ["--user", `${name}:secret`]);
}
