import { ErrorReply } from "@redis/client";
import type { Timer } from "@sipkit/core";
import { StoreUnavailable } from "@sipkit/registrar";
import { ClientLink, type LinkSettings } from "./client-link.ts";
import { mastersOf } from "./cluster-slots.ts";
import { inTime } from "./deadline.ts";
import { SLOTS, slotOf } from "./key-slot.ts";
import type { Answer, Command, Connection, Link } from "./link.ts";
import { openServer } from "./open-client.ts";

/** Milliseconds for which the nodes aren't asked again who has which slots. */
const MAP_PAUSE = 100;
/** How often a command is sent on to where it belongs by now. */
const MAX_TURNS = 16;
/** Milliseconds until a command is tried again of whose keys a node has some and another one the rest. */
const SPLIT_PAUSE = 50;

/** Where a command is to be sent. */
interface Turn {
  readonly address: string;
  /** Whether the node serves the slot only to those who say so: the slot is on its way there. */
  readonly isAsking: boolean;
}

/**
 * A link to a cluster: one to each node, and a map of which node has which slot. The map is drawn anew when a node sends
 * a command elsewhere, and when one fails; nodes that can't be reached hold up nobody but their own slots.
 */
export class ClusterLink implements Link {
  readonly #seeds: readonly string[];
  readonly #settings: LinkSettings;
  /** The address of the master of each slot. */
  readonly #masters: (string | undefined)[] = new Array(SLOTS);
  readonly #links = new Map<string, ClientLink>();
  /** The last drawing of the map, until it may be drawn again. */
  #drawing: Promise<void> | undefined;
  #failure: unknown;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(urls: readonly string[], settings: LinkSettings) {
    const [first = ""] = urls;
    this.#seeds = urls.map((url) => addressOf(first, new URL(url).hostname, new URL(url).port));
    this.#settings = settings;
    void this.#draw();
  }

  async send(key: string, command: Command): Promise<Answer> {
    const { clock, timeout } = this.#settings;
    const slot = slotOf(key);
    const end = clock.now() + timeout;
    let turn: Turn = { address: await this.#masterOf(slot), isAsking: false };
    for (let count = 1; ; count += 1) {
      try {
        return await this.#sendTo(turn, slot, command);
      } catch (error) {
        if (error instanceof StoreUnavailable) void this.#draw();
        if (count === MAX_TURNS || clock.now() >= end) throw error;
        const next = await this.#nextTurn(slot, turn, error);
        if (next === undefined) throw error;
        turn = next;
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const link of this.#links.values()) link.close();
  }

  async #sendTo(turn: Turn, slot: number, command: Command): Promise<Answer> {
    const connection = await this.#connectionTo(turn, slot);
    // It counts for the very next command of the connection: both are sent in one turn of the event loop.
    if (turn.isAsking) connection.send(["ASKING"]).catch(() => {});
    return { reply: await connection.send(command), connection };
  }

  async #connectionTo({ address }: Turn, slot: number): Promise<Connection> {
    try {
      return await this.#linkTo(address).connection();
    } catch (error) {
      // Nothing was sent yet, and another node may have taken over.
      await this.#drawInTime();
      const other = await this.#masterOf(slot);
      if (other === address) throw error;
      return this.#linkTo(other).connection();
    }
  }

  /** Where a node has sent a command on to; `undefined`: nowhere. */
  async #nextTurn(slot: number, { address }: Turn, error: unknown): Promise<Turn | undefined> {
    const cause = error instanceof StoreUnavailable ? error.cause : undefined;
    const reply = cause instanceof ErrorReply ? cause.message : "";
    const [, kind, host, port] = /^(MOVED|ASK) \d+ (\S*):(\d+)$/.exec(reply) ?? [];
    if (host !== undefined && port !== undefined) {
      const other = addressOf(address, host, port);
      if (kind === "ASK") return { address: other, isAsking: true };
      this.#masters[slot] = other;
      return { address: other, isAsking: false };
    }
    if (!reply.startsWith("TRYAGAIN")) return undefined;
    const { clock } = this.#settings;
    await new Promise<void>((resolve) => clock.setTimer(SPLIT_PAUSE, resolve));
    return { address: await this.#masterOf(slot), isAsking: false };
  }

  async #masterOf(slot: number): Promise<string> {
    if (this.#masters[slot] === undefined) await this.#drawInTime();
    const address = this.#masters[slot];
    if (address !== undefined) return address;
    const cause = this.#failure;
    if (cause instanceof StoreUnavailable) throw cause;
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    throw new StoreUnavailable(`no node of the cluster says who has a slot${why}`, { cause });
  }

  #linkTo(address: string): ClientLink {
    if (this.#isClosed) throw new StoreUnavailable("the store is closed");
    let link = this.#links.get(address);
    if (link === undefined) {
      link = new ClientLink(() => openServer(address, this.#settings), this.#settings);
      this.#links.set(address, link);
    }
    return link;
  }

  /** Asks the nodes who has which slots. Never rejects. */
  #draw(): Promise<void> {
    this.#drawing ??= this.#drawMap().then(() => {
      if (this.#isClosed) return;
      this.#timer = this.#settings.clock.setTimer(MAP_PAUSE, () => {
        this.#drawing = undefined;
      });
    });
    return this.#drawing;
  }

  #drawInTime(): Promise<void> {
    return inTime(this.#settings.clock, this.#settings.timeout, this.#draw());
  }

  async #drawMap(): Promise<void> {
    const known = [...this.#links].toSorted(([, a], [, b]) => Number(a.isLost) - Number(b.isLost));
    for (const address of new Set([...known.map(([each]) => each), ...this.#seeds])) {
      if (this.#isClosed) return;
      try {
        const { reply } = await this.#linkTo(address).send(address, ["CLUSTER", "SLOTS"]);
        this.#take(address, reply);
        return;
      } catch (error) {
        this.#failure = error;
      }
    }
  }

  #take(teller: string, reply: unknown): void {
    const masters = mastersOf(reply);
    this.#masters.fill(undefined);
    for (const { from, to, host, port } of masters) {
      const address = addressOf(teller, host, port);
      this.#masters.fill(address, from, to + 1);
    }
    this.#failure = undefined;
    const inUse = new Set([...this.#masters, ...this.#seeds]);
    for (const [address, link] of this.#links) {
      if (inUse.has(address) || !link.isLost) continue;
      link.close();
      this.#links.delete(address);
    }
    // Another one is asked the next time: this one may have lost sight of the others.
    const link = this.#links.get(teller);
    if (link === undefined) return;
    this.#links.delete(teller);
    this.#links.set(teller, link);
  }
}

/** The address of a node, with user, password and TLS of another one that told of it; a host without a name is that one's. */
function addressOf(url: string, host: string, port: string): string {
  const address = new URL(url);
  if (host !== "")
    address.hostname = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  address.port = port;
  return address.href;
}
