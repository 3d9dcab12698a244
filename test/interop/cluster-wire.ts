import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";

/** Where a node listens, on UDP and on TCP. */
export interface Place {
  readonly host: "127.0.0.1";
  readonly port: number;
}

/** What a phone sends its messages by. */
export interface Wire {
  readonly protocol: "tcp" | "udp";
  /** The phone's own `host:port`. */
  readonly address: string;
  send(text: string): void;
  close(): void;
}

interface Ear {
  readonly message: (text: string) => void;
  /** The connection is gone; over UDP never. */
  readonly lost: () => void;
}

/** A connection to a node, or a socket that sends to it. */
export function openWire(protocol: Wire["protocol"], place: Place, ear: Ear): Promise<Wire> {
  return protocol === "tcp" ? openConnection(place, ear) : openDatagrams(place, ear);
}

async function openDatagrams({ host, port }: Place, ear: Ear): Promise<Wire> {
  const socket = createSocket("udp4").bind(0, host);
  await once(socket, "listening");
  socket.on("message", (datagram) => ear.message(datagram.toString("latin1")));
  return {
    protocol: "udp",
    address: `${host}:${socket.address().port}`,
    send: (text) => socket.send(Buffer.from(text, "latin1"), port, host),
    close: () => socket.close(),
  };
}

async function openConnection({ host, port }: Place, ear: Ear): Promise<Wire> {
  const socket = connect(port, host);
  await once(socket, "connect");
  let received = "";
  let isClosed = false;
  socket.setEncoding("latin1").on("data", (text) => {
    received += text;
    for (let end = messageEnd(received); end !== undefined; end = messageEnd(received)) {
      const message = received.slice(0, end);
      received = received.slice(end);
      ear.message(message);
    }
  });
  // What "error" tells, "close" tells too.
  socket.on("error", () => {});
  socket.on("close", () => {
    if (!isClosed) ear.lost();
  });
  return {
    protocol: "tcp",
    address: `${host}:${socket.localPort}`,
    send: (text) => socket.write(text, "latin1"),
    close: () => {
      isClosed = true;
      socket.destroy();
    },
  };
}

/** Where the first message of a stream ends, when it is whole. RFC 3261 §18.3 */
function messageEnd(text: string): number | undefined {
  const head = text.indexOf("\r\n\r\n");
  if (head < 0) return undefined;
  const length = Number(/^content-length: *(\d+)/im.exec(text.slice(0, head))?.[1] ?? 0);
  const end = head + 4 + length;
  return text.length < end ? undefined : end;
}
