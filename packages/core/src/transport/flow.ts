import type { Protocol } from "../arrival.ts";
import { parseHostPort } from "./host-port.ts";
import { isProtocol } from "./leg-address.ts";

/**
 * Where a connection-bound contact or an in-dialog request is reached. Plain data, so that a store can keep it.
 *
 * RFC 5626 §5.2
 */
export interface FlowRef {
  /** Which process of a cluster. */
  readonly node: string;
  /** Which life of it: a stream flow of an earlier one is dead and never dialled. */
  readonly epoch: string;
  readonly protocol: Protocol;
  /** `address:port`, IPv6 in brackets. */
  readonly local: string;
  readonly remote: string;
  /** A stream's connection; left out for UDP, and for a stream that we may dial again. */
  readonly connection?: number;
}

/**
 * A flow as short text without spaces, quotes or line ends: `tcp,node,epoch,127.0.0.1:5060,192.0.2.1:40123,17`, with node
 * and epoch percent-encoded.
 */
export function formatFlow(flow: FlowRef): string {
  const { protocol, node, epoch, local, remote, connection } = flow;
  const text = `${protocol},${encodeURIComponent(node)},${encodeURIComponent(epoch)},${local},${remote}`;
  return connection === undefined ? text : `${text},${connection}`;
}

/** Reads what {@link formatFlow} wrote; `undefined` for anything else. */
export function parseFlow(text: string): FlowRef | undefined {
  const [protocol = "", node = "", epoch = "", local = "", remote = "", id, ...more] = text.split(
    ",",
    7,
  );
  if (!isProtocol(protocol) || more.length > 0) return undefined;
  if (parseHostPort(local)?.port === undefined || parseHostPort(remote)?.port === undefined) {
    return undefined;
  }
  if (id !== undefined && !/^[0-9]{1,15}$/.test(id)) return undefined;
  try {
    const flow = {
      node: decodeURIComponent(node),
      epoch: decodeURIComponent(epoch),
      protocol,
      local,
      remote,
    };
    return id === undefined ? flow : { ...flow, connection: Number(id) };
  } catch {
    return undefined; // a percent sign that encodes nothing
  }
}
