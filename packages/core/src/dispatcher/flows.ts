import type { Leg, Peer } from "../arrival.ts";
import type { FlowRef } from "../transport/flow.ts";
import { formatHostPort, parseHostPort } from "../transport/host-port.ts";
import type { TransportLeg } from "../transport/leg.ts";
import type { Way } from "./way.ts";

/** Names flows, and finds what is behind a name. RFC 5626 §5.2, §5.3 */
export class Flows {
  readonly #node: string;
  readonly #epoch: string;
  readonly #legs: readonly TransportLeg[];

  constructor(node: string, epoch: string, legs: readonly TransportLeg[]) {
    this.#node = node;
    this.#epoch = epoch;
    this.#legs = legs;
  }

  name(leg: Leg, peer: Peer): FlowRef {
    const { connection } = peer;
    return {
      node: this.#node,
      epoch: this.#epoch,
      protocol: peer.protocol,
      local: formatHostPort(leg.address, leg.port),
      remote: formatHostPort(peer.address, peer.port),
      ...(connection === undefined ? {} : { connection: connection.id }),
    };
  }

  /** `undefined`: gone, or another node's. */
  find(flow: FlowRef): Way | undefined {
    const leg = this.#legs.find(
      (own) =>
        own.protocol === flow.protocol && formatHostPort(own.address, own.port) === flow.local,
    );
    if (leg === undefined || flow.node !== this.#node) return undefined;
    if (flow.connection !== undefined) {
      // A stream flow of an earlier life is dead: its number may name somebody else's connection by now.
      if (flow.epoch !== this.#epoch) return undefined;
      const peer = leg.connected(flow.connection);
      return peer && { leg, peer };
    }
    const remote = parseHostPort(flow.remote);
    if (remote?.port === undefined) return undefined;
    return { leg, peer: { protocol: flow.protocol, address: remote.host, port: remote.port } };
  }
}
