import {
  nodeOfRoute,
  type Packet,
  parsePacket,
  type Random,
  route,
  systemRandom,
} from "@sipkit/core";

/** A datagram that came to another worker than the one that knows what to do with it. */
export interface Stray {
  readonly to: number;
  /** Which of the shared legs it came to. */
  readonly leg: number;
  readonly bytes: Uint8Array;
  readonly address: string;
  readonly port: number;
}

/** Ends the number of a worker in a token. It occurs in no base64url, and may stand in any token of SIP. */
const MARK = "~";
const BRANCH = /^z9hG4bK(?:\d+\.)?(\d{1,3})~/;
const ROUTE = /\r\nroute[ \t]*:/i;

/** The name of a worker as a node, from its number. */
export function nodeName(machine: string, worker: number): string {
  return `${machine}/${worker}`;
}

/** Chance whose tokens begin with the number of the worker, so that the branches of its requests do. */
export function markedRandom(worker: number): Random {
  const random = systemRandom();
  return {
    bytes: (size) => random.bytes(size),
    token: () => `${worker}${MARK}${random.token()}`,
  };
}

/**
 * The worker that a datagram is for: of a response that whose branch it carries, of a request within a dialog that whose
 * flow its Routes name. `undefined` for all else, which whoever gets it can take.
 */
export function ownerOf(bytes: Uint8Array, machine: string): number | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (!text.startsWith("SIP/2.0 ") && !ROUTE.test(text)) return undefined;
  try {
    return ownerOfPacket(parsePacket(bytes), machine);
  } catch {
    return undefined; // no SIP: whoever gets it says so
  }
}

function ownerOfPacket(packet: Packet, machine: string): number | undefined {
  if (!packet.isRequest) return numberIn(BRANCH.exec(packet.topmostVia?.branch ?? "")?.[1]);
  const prefix = nodeName(machine, 0).slice(0, -1);
  for (const { uri } of packet.headers.readAll(route)) {
    const node = nodeOfRoute(uri);
    if (node?.startsWith(prefix)) return numberIn(node.slice(prefix.length));
  }
  return undefined;
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
}
