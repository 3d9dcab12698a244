import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";

const taken = new Set<number>();

/**
 * A port of 127.0.0.1 that is free on UDP and on TCP, never the same twice. It is below the range
 * that the system takes for outgoing connections, so it stays free until it is bound.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 7_000 + Math.floor(Math.random() * 3_000);
    if (taken.has(port)) continue;
    taken.add(port);
    if ((await tcpIsFree(port)) && (await udpIsFree(port))) return port;
  }
}

async function tcpIsFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}

async function udpIsFree(port: number): Promise<boolean> {
  const socket = createSocket("udp4").bind(port, "127.0.0.1");
  try {
    await once(socket, "listening");
  } catch {
    return false;
  }
  socket.close();
  await once(socket, "close");
  return true;
}
