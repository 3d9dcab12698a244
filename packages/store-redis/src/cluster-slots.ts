/** Slots, the first and the last, that a master has. */
export interface MasterSlots {
  readonly from: number;
  readonly to: number;
  /** Empty: the node that was asked. */
  readonly host: string;
  readonly port: string;
}

type Node = readonly [host: string | null, port: number];
type Range = readonly [from: number, to: number, master: Node];

/** Reads the answer to `CLUSTER SLOTS`. */
export function mastersOf(reply: unknown): readonly MasterSlots[] {
  return (reply as readonly Range[]).map(([from, to, [host, port]]) => ({
    from,
    to,
    // `?`: a host that the node has been told nothing of.
    host: host === null || host === "?" ? "" : host,
    port: String(port),
  }));
}
