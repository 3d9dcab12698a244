import { connect, isIPv6 } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Carrier, CarrierSink, Endpoint } from "./carrier.ts";
import { defaultPorts } from "./leg-address.ts";
import type { TlsSettings } from "./tls-settings.ts";
import { WebSocketCarrier } from "./websocket-carrier.ts";
import type { WebSocketModule } from "./websocket-module.ts";

/** How the other side is asked. */
export interface WebSocketClientOptions {
  readonly path: string;
  /** For wss. */
  readonly tls: TlsSettings | undefined;
  readonly maxMessage: number;
}

/** Opens a WebSocket for SIP; what fails is told by the sink. RFC 7118 §4 */
export function connectWebSocket(
  { WebSocket }: WebSocketModule,
  to: Endpoint,
  { path, tls, maxMessage }: WebSocketClientOptions,
  sink: CarrierSink,
): Carrier {
  const { domain, ...where } = to;
  const secure = tls && connectTls(tls.connectOptions(to));
  const socket = (secure ?? connect(where)).setNoDelay(true);
  // Where to connect is settled: the URL says no more than the path.
  const ws = new WebSocket(`ws://localhost${path}`, "sip", {
    createConnection: () => socket,
    headers: { Host: hostOf(to, tls === undefined ? "ws" : "wss") },
    perMessageDeflate: false,
    maxPayload: maxMessage,
  });
  ws.on("open", () => sink.ready(secure && tls?.proofOf(secure)));
  return new WebSocketCarrier(ws, socket, sink, maxMessage);
}

/** The name that was asked for. RFC 9110 §7.2 */
function hostOf({ domain, host, port }: Endpoint, protocol: "ws" | "wss"): string {
  const name = domain ?? (isIPv6(host) ? `[${host}]` : host);
  return port === defaultPorts[protocol] ? name : `${name}:${port}`;
}
