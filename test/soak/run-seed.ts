import type { Dispatcher } from "@sipkit/core";
import { type SeededRandom, VirtualNetwork, type VirtualNode } from "@sipkit/core/testing";
import { type LocationStore, memoryStore } from "@sipkit/registrar";
import {
  checkAnswers,
  checkBindings,
  checkDialogs,
  checkEnds,
  checkRefused,
  type LifeAt,
} from "./checks.ts";
import { Ledger } from "./ledger.ts";
import { SoakPhone } from "./phone.ts";
import { CLUSTER, type Mishap, makePlan, type Plan } from "./plan.ts";
import { startServer } from "./server.ts";

/** What became of one seed. */
export interface SoakResult {
  readonly seed: number;
  readonly plan: Plan;
  readonly net: VirtualNetwork;
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
}

/** Runs the deployment that a seed makes: trouble, then peace, then silence; and checks what must hold. */
export async function runSeed(seed: number): Promise<SoakResult> {
  const soak = new Soak(seed);
  try {
    await soak.run();
  } catch (error) {
    soak.ledger.violate(
      `it threw ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
  }
  const { plan, net, ledger } = soak;
  return { seed, plan, net, violations: ledger.violations, counts: ledger.counts };
}

/** Milliseconds that a server takes to come again. */
const RESTART_DELAY = 10;
/** Milliseconds between looks at the bindings. */
const CHECK_INTERVAL = 3000;

class Soak {
  readonly plan: Plan;
  readonly net: VirtualNetwork;
  readonly ledger = new Ledger();
  readonly #stores = new Map<string, LocationStore>();
  readonly #servers = new Map<string, VirtualNode<Dispatcher>>();
  readonly #phones: VirtualNode<SoakPhone>[] = [];
  /** When each life of each node began. */
  readonly #starts = new Map<string, number[]>();
  #lives = 0;

  constructor(seed: number) {
    this.net = new VirtualNetwork({ seed });
    const random: SeededRandom = this.net.random;
    this.plan = makePlan(random);
    this.#addServers();
    this.#addPhones();
  }

  async run(): Promise<void> {
    const { net, plan } = this;
    await net.start();
    net.change(plan.conditions);
    for (const mishap of plan.mishaps) net.clock.setTimer(mishap.at, () => this.#happen(mishap));
    await this.#runChecked(plan.length);
    await this.#makePeace();
    // Timer B or F, the ACK that never came, and the BYE for it.
    await this.#runChecked(110_000);
    checkDialogs(this.#phones, (name) => this.#starts.get(name)?.at(-1) ?? 0, this.ledger);
    await this.#fallSilent();
    this.#checkEnd();
  }

  #addServers(): void {
    const { servers, isCluster } = this.plan;
    const shared = memoryStore();
    if (isCluster) this.#stores.set(CLUSTER, shared);
    for (const server of servers) {
      const kept = isCluster ? shared : memoryStore();
      const node = this.net.node(server.name, {
        names: [server.domain],
        start: (host) => {
          this.#began(server.name);
          const store = server.keepsBindings ? kept : memoryStore();
          this.#stores.set(server.name, store);
          return startServer(host, server, this.plan, store, this.ledger);
        },
      });
      this.#servers.set(server.name, node);
    }
  }

  #addPhones(): void {
    const { phones } = this.plan;
    for (const plan of phones) {
      const node = this.net.node(plan.name, (host) => {
        this.#began(plan.name);
        this.#lives += 1;
        return SoakPhone.start(host, plan, { ledger: this.ledger, phones, life: this.#lives });
      });
      this.#phones.push(node);
    }
  }

  #began(name: string): void {
    const times = this.#starts.get(name) ?? [];
    times.push(this.net.clock.now());
    this.#starts.set(name, times);
  }

  #node(name: string): VirtualNode<unknown> | undefined {
    return this.net.nodes.find((node) => node.name === name);
  }

  #happen(mishap: Mishap): void {
    const { net } = this;
    switch (mishap.what) {
      case "partition":
        net.partition(mishap.one, mishap.other);
        return;
      case "heal":
        net.heal();
        return;
      case "weather":
        net.change(mishap.conditions);
        return;
      case "crash":
        this.#crash(mishap.node);
        return;
      case "drain":
        void this.#drain(mishap.node, mishap.within);
        return;
      case "restart":
        if (this.#node(mishap.node)?.isRunning === false) void this.#node(mishap.node)?.start();
        return;
    }
  }

  #crash(name: string): void {
    const server = this.plan.servers.find((one) => one.name === name);
    if (server?.keepsBindings === false) this.ledger.storeLost(name);
    this.#node(name)?.crash();
  }

  /** A server ends in order, and comes again. */
  async #drain(name: string, within: number): Promise<void> {
    const node = this.#servers.get(name);
    if (node?.isRunning !== true) return;
    const { app } = node;
    await app.close({ within });
    // It may have crashed meanwhile.
    if (!node.isRunning || node.app !== app) return;
    this.#crash(name);
    // What is answered at the very end of one life is not the next one's.
    this.net.clock.setTimer(RESTART_DELAY, () => {
      if (!node.isRunning) void node.start();
    });
  }

  async #makePeace(): Promise<void> {
    this.net.heal();
    this.net.change({ latency: [1, 20], loss: 0, duplication: 0, reordering: 0 });
    await this.net.start();
    for (const { app } of this.#phones) app.beQuiet();
  }

  /** Everybody hangs up, registrations end, Timer C too; then connections are closed. */
  async #fallSilent(): Promise<void> {
    const { net, ledger } = this;
    await net.until(Promise.all(this.#phones.map(({ app }) => app.finish())));
    await net.run("5m");
    for (const { name, app } of this.#phones) {
      if (app.dialogs.size > 0)
        ledger.violate(`${name} has ${app.dialogs.size} dialogs at the end`);
    }
    this.#expectIdle(["connections"]);
    await Promise.all(this.#phones.map(({ app }) => app.server.close()));
    await net.run("1s");
    this.#expectIdle([]);
  }

  #expectIdle(except: readonly string[]): void {
    try {
      this.net.expectIdle({ except });
    } catch (error) {
      this.ledger.violate((error as Error).message);
    }
  }

  #checkEnd(): void {
    const { net, ledger } = this;
    const alive = new Set(this.#phones.map(({ app }) => app.life));
    checkEnds(ledger, (life) => alive.has(life));
    checkAnswers(net.log, this.#lifeAt(), ledger);
    for (const { node, at, error } of net.errors) {
      const cause = error.cause instanceof Error ? `: ${error.cause.stack}` : "";
      ledger.violate(`${node} reported at ${at} ms: ${error.code} ${error.message}${cause}`);
    }
    for (const [home, store] of this.#stores) {
      const next = store.nextExpiry();
      if (next !== undefined)
        ledger.violate(`${home} has bindings left, the first until ${String(next)}`);
    }
  }

  #lifeAt(): LifeAt {
    const byAddress = new Map(
      this.net.nodes.map(({ address, name }) => [address, this.#starts.get(name) ?? []]),
    );
    return (hostPort, at) => {
      const starts = byAddress.get(hostPort.slice(0, hostPort.lastIndexOf(":"))) ?? [];
      return starts.filter((start) => start <= at).length;
    };
  }

  async #runChecked(ms: number): Promise<void> {
    const users = this.plan.phones.map(({ user, domain }) => `sip:${user}@${domain}`);
    const end = this.net.clock.now() + ms;
    while (this.net.clock.now() < end) {
      await this.net.run(Math.min(CHECK_INTERVAL, end - this.net.clock.now()));
      await checkBindings(this.net, this.#stores, this.ledger);
      await checkRefused(this.#stores, users, this.ledger);
    }
  }
}
