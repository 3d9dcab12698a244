import type { Server, Target } from "@sipkit/core";

/** What one branch goes to. */
export interface Destination {
  /** The request-URI to send. */
  readonly uri: string;
  /** Left out: the request's own Routes and request-URI tell the way. */
  readonly target: Target | undefined;
  /** Another way to the same device, for when this one is broken. RFC 5626 §7 */
  readonly otherwise: Destination | undefined;
}

/** How targets are tried: all at once, or those with the highest q first. */
export type Fork = "parallel" | "serial";

/**
 * The target set in groups: a group is tried when the one before it has failed, its members at once. Two bindings of
 * one device are two ways to it, never two branches. A URI that no SIP request can be sent to is left out, and so are
 * the devices of the lowest q where there are more than `maxTargets`.
 *
 * RFC 3261 §16.5, §16.6; RFC 5626 §7
 */
export function targetGroups(
  targets: readonly Target[],
  fork: Fork,
  maxTargets: number,
  server: Pick<Server, "count">,
): readonly (readonly Destination[])[] {
  const [first] = targets;
  // One device is what nearly every user has.
  if (first !== undefined && targets.length === 1) {
    return isSipUri(first.uri) ? [[{ uri: first.uri, target: first, otherwise: undefined }]] : [];
  }
  const devices = byDevice(targets);
  if (devices.length > maxTargets) {
    devices.length = maxTargets;
    server.count("targetsLeftOut");
  }
  if (devices.length === 0) return [];
  if (fork === "parallel") return [devices.map(asDestination)];
  const groups: Destination[][] = [];
  let q = Number.NaN;
  for (const ways of devices) {
    const best = ways[0]?.q;
    if (best !== undefined && best !== q) {
      groups.push([]);
      q = best;
    }
    groups.at(-1)?.push(asDestination(ways));
  }
  return groups;
}

/** Whether a URI is one that SIP can be spoken to. */
export function isSipUri(uri: string): boolean {
  return /^sips?:/i.test(uri);
}

/** The ways to each device, best first, the best device first. */
function byDevice(targets: readonly Target[]): (readonly Target[])[] {
  const devices = new Map<string, Target[]>();
  const sorted = [...targets].sort((a, b) => b.q - a.q);
  for (const target of sorted) {
    if (!isSipUri(target.uri)) continue;
    const key = deviceKey(target);
    const ways = devices.get(key);
    if (ways === undefined) devices.set(key, [target]);
    else if (target.instance !== undefined) ways.push(target);
  }
  return [...devices.values()];
}

/** Without an instance, a URI over a flow is a device. The same URI over two flows is two: phones behind two NATs. */
export function deviceKey({ uri, instance, flow }: Target): string {
  if (instance !== undefined) return `instance ${instance}`;
  if (flow === undefined) return `uri ${uri}`;
  return `flow ${flow.node} ${flow.local} ${flow.remote} ${flow.connection} ${uri}`;
}

function asDestination(ways: readonly Target[]): Destination {
  let destination: Destination | undefined;
  for (let index = ways.length - 1; index >= 0; index -= 1) {
    const target = ways[index] as Target;
    destination = { uri: target.uri, target, otherwise: destination };
  }
  return destination as Destination;
}
