import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { openWire, type Transport } from "./load/wire.ts";
import type { IdleServerReport } from "./servers/idle.ts";
import { number, printTable } from "./table.ts";

/** Connections of each; a handshake of TLS takes milliseconds of both sides. */
const CONNECTIONS: Readonly<Partial<Record<Transport, number>>> = {
  tcp: 10_000,
  tls: 2_500,
  ws: 10_000,
  wss: 2_500,
};
/** Connections that are opened before anything is measured, and at once. */
const BATCH = 250;

export interface IdleFigures {
  readonly transport: Transport;
  readonly connections: number;
  /** What the server's heap and buffers grew by, divided by the connections. */
  readonly bytes: number;
  /** What its resident memory grew by, divided by the connections. */
  readonly resident: number;
}

/** What a connection costs a server while nothing passes over it. */
export async function benchIdle(): Promise<readonly IdleFigures[]> {
  console.log("\nbench idle: connections that have sent one OPTIONS each and wait.");
  const figures: IdleFigures[] = [];
  for (const [transport, connections] of Object.entries(CONNECTIONS)) {
    figures.push(await measure(transport as Transport, connections));
  }
  printTable(
    ["transport", "connections", "bytes each", "resident each"],
    figures.map(({ transport, connections, bytes, resident }) => [
      transport,
      number(connections),
      number(bytes),
      number(resident),
    ]),
  );
  return figures;
}

async function measure(transport: Transport, connections: number): Promise<IdleFigures> {
  const server = fork(join(import.meta.dirname, "servers", "idle.ts"), [transport], {
    execArgv: ["--expose-gc", "--import", "tsx"],
  });
  const wires: { close(): void }[] = [];
  try {
    const { port } = await told(server);
    const open = async (many: number): Promise<void> => {
      for (let begun = 0; begun < many; begun += BATCH) {
        wires.push(
          ...(await Promise.all(Array.from({ length: BATCH }, () => talk(transport, port)))),
        );
      }
    };
    await open(BATCH);
    server.send("measure");
    const before = await told(server);
    await open(connections);
    server.send("measure");
    const after = await told(server);
    const more = after.connections - before.connections;
    return {
      transport,
      connections: more,
      bytes: (after.used - before.used) / more,
      resident: (after.resident - before.resident) / more,
    };
  } finally {
    server.kill();
    for (const wire of wires) wire.close();
  }
}

/** Opens a connection, sends an OPTIONS and waits for its answer. */
async function talk(transport: Transport, port: number): Promise<{ close(): void }> {
  let answered: (() => void) | undefined;
  const answer = new Promise<void>((resolve) => {
    answered = resolve;
  });
  const wire = await openWire(transport, port, () => answered?.());
  wire.send(
    `OPTIONS sip:example.com SIP/2.0\r\n` +
      `Via: SIP/2.0/${transport.toUpperCase()} ${wire.local};branch=z9hG4bK1\r\n` +
      `From: <sip:a@example.com>;tag=1\r\nTo: <sip:example.com>\r\n` +
      `Call-ID: ${wire.local}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
  );
  await answer;
  return wire;
}

async function told(child: ChildProcess): Promise<IdleServerReport> {
  const [message] = await once(child, "message");
  return message as IdleServerReport;
}
