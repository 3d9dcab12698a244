import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { WebSocket } from "ws";

/** What a phone's messages go over. */
export type Transport = "udp" | "tcp" | "tls" | "ws" | "wss";

/** One phone's way to the server, written without sipkit. */
export interface Wire {
  /** `address:port` of this end, for Via and Contact. */
  readonly local: string;
  send(text: string): void;
  close(): void;
}

const HOST = "127.0.0.1";
const END = "\r\n\r\n";

/** Opens a way to a port of this machine; `receive` gets each message as text. Certificates are not checked. */
export async function openWire(
  transport: Transport,
  port: number,
  receive: (text: string) => void,
): Promise<Wire> {
  if (transport === "udp") return openDatagrams(port, receive);
  if (transport === "ws" || transport === "wss") return openWebSocket(transport, port, receive);
  const socket =
    transport === "tcp"
      ? connect({ host: HOST, port, noDelay: true })
      : connectTls({ host: HOST, port, rejectUnauthorized: false });
  await once(socket, transport === "tcp" ? "connect" : "secureConnect");
  socket.setNoDelay(true);
  return openStream(socket, receive);
}

async function openDatagrams(port: number, receive: (text: string) => void): Promise<Wire> {
  const socket = createSocket({ type: "udp4", lookup: (host, _, found) => found(null, host, 4) });
  await new Promise<void>((resolve) => {
    socket.bind(0, HOST, resolve);
  });
  socket.on("message", (bytes) => receive(bytes.toString("latin1")));
  return {
    local: `${HOST}:${socket.address().port}`,
    send: (text) => socket.send(text, port, HOST),
    close: () => socket.close(),
  };
}

function openStream(socket: Socket, receive: (text: string) => void): Wire {
  let rest = "";
  socket.on("data", (chunk: Buffer) => {
    rest += chunk.toString("latin1");
    // The server's answers here have no body.
    for (let end = rest.indexOf(END); end >= 0; end = rest.indexOf(END)) {
      receive(rest.slice(0, end + END.length));
      rest = rest.slice(end + END.length);
    }
  });
  socket.on("error", () => socket.destroy());
  return {
    local: `${HOST}:${socket.localPort}`,
    send: (text) => socket.write(text, "latin1"),
    close: () => socket.destroy(),
  };
}

async function openWebSocket(
  transport: "ws" | "wss",
  port: number,
  receive: (text: string) => void,
): Promise<Wire> {
  const options = { rejectUnauthorized: false, perMessageDeflate: false };
  const socket = new WebSocket(`${transport}://${HOST}:${port}/`, "sip", options);
  await once(socket, "open");
  socket.on("message", (data) => receive((data as Buffer).toString("latin1")));
  socket.on("error", () => socket.terminate());
  return {
    local: "phone.invalid",
    send: (text) => socket.send(text),
    close: () => socket.terminate(),
  };
}
