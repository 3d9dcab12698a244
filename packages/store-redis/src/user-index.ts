import type { Link } from "./link.ts";
import { ENTER, evaluate, MOVE, type Script } from "./scripts.ts";
import { PARTS, partOf } from "./user-name.ts";

export interface IndexEntry {
  readonly name: string;
  readonly time: number;
}

/** Users whose time has come. */
export interface DueUsers {
  readonly entries: readonly IndexEntry[];
  /** Nobody else is due before this time. */
  readonly until: number;
}

/**
 * Who has bindings, by the time when the first one ends or may end, and by name. In parts, which lie on different nodes
 * of a cluster; a user's record is elsewhere, so the index is a hint: it may have users whose record is gone.
 */
export class UserIndex {
  readonly #link: Link;
  readonly #prefix: string;

  constructor(link: Link, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  /** Puts a user in, and gives the time that she is at: that one or an earlier one. */
  async enter(name: string, time: number): Promise<number> {
    return Number(await this.#evaluate(ENTER, name, [String(time), name]));
  }

  /** Moves a user to another time, or takes her out, unless she isn't where she was seen. */
  async move({ name, time }: IndexEntry, to: number | undefined): Promise<void> {
    await this.#evaluate(MOVE, name, [String(time), name, to === undefined ? "" : String(to)]);
  }

  /** Users who are due, at most `limit` of each part. */
  async due(now: number, limit: number): Promise<DueUsers> {
    const range = ["-inf", String(now), "WITHSCORES", "LIMIT", "0", String(limit)];
    const parts = await this.#ofParts("ends", (key) => ["ZRANGEBYSCORE", key, ...range]);
    let until = now;
    const entries = parts.flatMap((reply) => {
      const found = readEntries(reply);
      if (found.length === limit) until = Math.min(until, found.at(-1)?.time ?? until);
      return found;
    });
    return { entries, until };
  }

  /** The earliest time. */
  async first(): Promise<number | undefined> {
    const parts = await this.#ofParts("ends", (key) => ["ZRANGE", key, "0", "0", "WITHSCORES"]);
    const times = parts.flatMap(readEntries).map(({ time }) => time);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Names of a part, in their order. */
  async names(part: number, after: string | undefined, limit: number): Promise<readonly string[]> {
    const key = this.#key("names", part);
    const start = after === undefined ? "-" : `(${after}`;
    const command = ["ZRANGEBYLEX", key, start, "+", "LIMIT", "0", String(limit)];
    return (await this.#link.send(key, command)).reply as readonly string[];
  }

  async size(): Promise<number> {
    const sizes = await this.#ofParts("names", (key) => ["ZCARD", key]);
    return sizes.reduce<number>((all, size) => all + Number(size), 0);
  }

  #key(what: "ends" | "names", part: number): string {
    return `${this.#prefix}:${what}:{${part}}`;
  }

  #ofParts(
    what: "ends" | "names",
    command: (key: string) => readonly string[],
  ): Promise<readonly unknown[]> {
    const keys = Array.from({ length: PARTS }, (_, part) => this.#key(what, part));
    return Promise.all(keys.map(async (key) => (await this.#link.send(key, command(key))).reply));
  }

  async #evaluate(script: Script, name: string, args: readonly string[]): Promise<unknown> {
    const keys = [this.#key("ends", partOf(name)), this.#key("names", partOf(name))] as const;
    const { reply } = await evaluate(
      (words) => this.#link.send(keys[0], words),
      script,
      keys,
      args,
    );
    return reply;
  }
}

/** Member, score, member, score … */
function readEntries(reply: unknown): readonly IndexEntry[] {
  const words = reply as readonly string[];
  return Array.from({ length: words.length / 2 }, (_, index) => ({
    name: words[2 * index] as string,
    time: Number(words[2 * index + 1]),
  }));
}
