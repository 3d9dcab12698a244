import type { SoakResult } from "./run-seed.ts";

/** All that is known of a run, to find out why it failed. */
export function report({ seed, plan, net, violations }: SoakResult): string {
  const names = new Map(net.nodes.map(({ address, name }) => [address, name]));
  const nameOf = (hostPort: string): string => {
    const colon = hostPort.lastIndexOf(":");
    return `${names.get(hostPort.slice(0, colon)) ?? hostPort.slice(0, colon)}${hostPort.slice(colon)}`;
  };
  const messages = net.log.map(({ at, arrivedAt, protocol, from, to, fate, wire }) => {
    const arrived = arrivedAt === undefined ? fate : `${fate} ${arrivedAt.toFixed(1)}`;
    return `${at.toFixed(1)} ${protocol} ${nameOf(from)} -> ${nameOf(to)} (${arrived})\n${indent(wire)}`;
  });
  return [
    `seed ${seed}`,
    `replay: pnpm soak --seeds 1 --from ${seed}`,
    ...violations.map((violation) => `VIOLATION ${violation}`),
    JSON.stringify(plan, undefined, 2),
    net.ladder(),
    ...messages,
    "",
  ].join("\n");
}

function indent(wire: string): string {
  return wire
    .trimEnd()
    .split("\r\n")
    .map((line) => `    ${line}`)
    .join("\n");
}
