/**
 * A server without handlers that tells what memory it uses: `node --expose-gc servers/idle.ts TRANSPORT`.
 */
import { Dispatcher, type LegAddress } from "@sipkit/core";
import { certificate } from "../../test/certificates/certificates.ts";

export interface IdleServerReport {
  readonly port: number;
  readonly connections: number;
  /** The heap and what buffers hold outside of it, bytes. */
  readonly used: number;
  readonly resident: number;
}

const [transport = "tcp"] = process.argv.slice(2);
const needsCertificate = transport === "tls" || transport === "wss";
const server = new Dispatcher({
  legs: [
    {
      listen: `${transport}:127.0.0.1:0` as LegAddress,
      ...(needsCertificate ? { tls: certificate("example") } : {}),
    },
  ],
  domains: ["example.com"],
  limits: { maxConnections: 20_000, maxConnectionsPerAddress: 20_000 },
});
await server.listen();

process.on("message", tell);
process.on("disconnect", () => process.exit());
tell();

function tell(): void {
  for (let turn = 0; turn < 3; turn += 1) global.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const report: IdleServerReport = {
    port: server.legs[0]?.port ?? 0,
    connections: server.stats().connections ?? 0,
    used: heapUsed + external,
    resident: rss,
  };
  process.send?.(report);
}
