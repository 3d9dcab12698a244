import type { Protocol } from "@sipkit/core";

/** A column of the matrix: what a flow runs over. */
export interface Column {
  readonly protocol: Protocol;
  /** On virtual time, with the addresses that the RFC gives; else on sockets of this machine. */
  readonly isVirtual: boolean;
  /** Whether each host speaks what the RFC has it speak, so that `protocol` says nothing. */
  readonly isMixed?: boolean;
}

/** The columns of a flow that the RFC shows over a protocol: that one on the virtual network, and every one on sockets. */
export function columnsOf(printed: Protocol): readonly [name: string, column: Column][] {
  const real = (["udp", "tcp", "tls", "ws"] as const).map((protocol): [string, Column] => [
    protocol,
    { protocol, isVirtual: false },
  ]);
  return [[`the virtual network (${printed})`, { protocol: printed, isVirtual: true }], ...real];
}

/** The columns of a flow whose hosts speak different protocols. */
export const mixedColumns: readonly [name: string, column: Column][] = [
  ["the virtual network", { protocol: "udp", isVirtual: true, isMixed: true }],
  ["sockets", { protocol: "udp", isVirtual: false, isMixed: true }],
];
