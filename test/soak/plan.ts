import type { LinkConditions, SeededRandom } from "@sipkit/core/testing";

/** One of the phones. */
export interface PhonePlan {
  readonly name: string;
  /** Whose phone it is: some have two. */
  readonly user: string;
  readonly domain: string;
  readonly password: string;
  readonly protocol: "udp" | "tcp" | "ws";
  /** Where it sends to: a server, or the domain of several. */
  readonly home: string;
  /** Seconds that it registers for. */
  readonly expires: number;
  readonly instance: string | undefined;
}

/** One of the servers. */
export interface ServerPlan {
  readonly name: string;
  readonly domain: string;
  /** Whether its bindings outlive it. */
  readonly keepsBindings: boolean;
}

/** Something that happens to the network, at a time in milliseconds. */
export type Mishap = { readonly at: number } & (
  | {
      readonly what: "partition";
      readonly one: readonly string[];
      readonly other: readonly string[];
    }
  | { readonly what: "heal" }
  | { readonly what: "crash"; readonly node: string }
  | { readonly what: "restart"; readonly node: string }
  | { readonly what: "drain"; readonly node: string; readonly within: number }
  | { readonly what: "weather"; readonly conditions: LinkConditions }
);

/** A deployment and what happens to it, all decided by a seed. */
export interface Plan {
  /** Two servers of one domain with one store, instead of one of each domain. */
  readonly isCluster: boolean;
  /** Passwords and bindings come later, as from a database. */
  readonly isSlow: boolean;
  readonly servers: readonly ServerPlan[];
  readonly phones: readonly PhonePlan[];
  readonly conditions: LinkConditions;
  /** How long things go wrong, in milliseconds. */
  readonly length: number;
  readonly mishaps: readonly Mishap[];
}

const MIN_EXPIRES = 10;

/** The domain that two servers share. */
export const CLUSTER = "example.com";

/** Makes a plan. */
export function makePlan(random: SeededRandom): Plan {
  const isCluster = random.chance(0.25);
  const keepsBindings = isCluster || random.chance(0.5);
  const servers: readonly ServerPlan[] = ["east", "west"].map((name) => ({
    name,
    domain: isCluster ? CLUSTER : `${name}.example`,
    keepsBindings,
  }));
  const phones: PhonePlan[] = [];
  for (let i = 0, count = random.integer(6, 10); i < count; i++) {
    phones.push(makePhone(random, i, servers, phones.at(-1)));
  }
  const length = random.integer(20, 60) * 1000;
  return {
    isCluster,
    isSlow: random.chance(0.4),
    servers,
    phones,
    conditions: weather(random),
    length,
    mishaps: mishaps(
      random,
      length,
      servers.map(({ name }) => name),
      phones.map(({ name }) => name),
    ),
  };
}

function makePhone(
  random: SeededRandom,
  number: number,
  servers: readonly ServerPlan[],
  before: PhonePlan | undefined,
): PhonePlan {
  const server = random.pick(servers);
  const owner = random.chance(0.2) ? before : undefined;
  const user = owner?.user ?? `user${number}`;
  const isCluster = servers.every(({ domain }) => domain === server.domain);
  const home = isCluster && random.chance(0.4) ? server.domain : server.name;
  const dice = random.number();
  return {
    name: `phone${number}`,
    user,
    domain: owner?.domain ?? server.domain,
    password: `secret of ${user}`,
    protocol: dice < 0.5 ? "udp" : dice < 0.85 ? "tcp" : "ws",
    home: owner?.home ?? home,
    expires: random.integer(MIN_EXPIRES, 60),
    instance: random.chance(0.3)
      ? `urn:uuid:00000000-0000-1000-8000-00000000000${number}`
      : undefined,
  };
}

function weather(random: SeededRandom): LinkConditions {
  const isCalm = random.chance(0.2);
  const most = random.integer(2, 150);
  return {
    latency: random.chance(0.2) ? most : [1, most],
    loss: isCalm ? 0 : random.number() * 0.3,
    duplication: isCalm ? 0 : random.number() * 0.2,
    reordering: isCalm ? 0 : random.number() * 0.3,
  };
}

function mishaps(
  random: SeededRandom,
  length: number,
  servers: readonly string[],
  phones: readonly string[],
): readonly Mishap[] {
  const all: Mishap[] = [];
  const time = (): number => random.integer(0, length);
  for (let n = random.integer(0, 3); n > 0; n--) {
    const at = time();
    const nodes = [...servers, ...phones];
    const one = nodes.filter(() => random.chance(0.3));
    const other = nodes.filter((node) => !one.includes(node));
    all.push({ at, what: "partition", one, other });
    all.push({ at: at + random.integer(500, 50_000), what: "heal" });
  }
  for (let n = random.integer(0, 5); n > 0; n--) {
    const at = time();
    const node = random.chance(0.3) ? random.pick(servers) : random.pick(phones);
    all.push({ at, what: "crash", node });
    all.push({ at: at + random.integer(1, 20_000), what: "restart", node });
  }
  if (random.chance(0.2)) {
    const within = random.integer(0, 5000);
    all.push({ at: time(), what: "drain", node: random.pick(servers), within });
  }
  for (let n = random.integer(0, 2); n > 0; n--) {
    all.push({ at: time(), what: "weather", conditions: weather(random) });
  }
  return all;
}
