import type { Packet } from "../chain/handler.ts";
import { formatHostPort } from "../transport/host-port.ts";
import { startText } from "./event-line.ts";
import type { PacketEvent } from "./packet-channel.ts";
import { shortened } from "./printable.ts";

/** One arrow of a ladder diagram. */
export interface LadderMessage {
  /** When, in milliseconds from any beginning. */
  readonly at: number;
  /** Who sent it: an `address:port`, or any other name. */
  readonly from: string;
  readonly to: string;
  /** What stands on the arrow: {@link ladderText}, or any other text. What doesn't fit is cut. */
  readonly text: string;
  /** It never arrived: the arrow has a cross instead of a head. */
  readonly lost?: boolean;
}

/** How a ladder is drawn. */
export interface LadderOptions {
  /** What to call parties, by `address:port`. Addresses that share a name share a column. Default: the address. */
  readonly names?: ReadonlyMap<string, string>;
  /** Only ASCII characters. Default: box drawing. */
  readonly ascii?: boolean;
  /** How far the columns are apart, in characters, at least 12. Default: 34; `formatLadder`'s: as the texts need, at most 44. */
  readonly width?: number;
  /** How many columns at most; who comes later shares the last one, and is named behind the arrow. Default: 8, at least 2. */
  readonly maxParties?: number;
}

const TIME = 10;
const OTHERS = "others";

const BOX = { life: "│", line: "─", right: "▶", left: "◀", lost: "✗", self: "↺" };
const ASCII = { life: "|", line: "-", right: ">", left: "<", lost: "x", self: "@" };

/** A party's column. */
interface Column {
  readonly name: string;
  /** Its address, where its name is another. */
  readonly address: string;
}

/**
 * A ladder diagram that grows message by message: who sent what to whom, and when. Nothing that a stranger sent can drive
 * the terminal.
 *
 * @example
 * const ladder = new Ladder();
 * packetChannel.subscribe((event) => {
 *   for (const line of ladder.add(ladderMessage(event))) console.log(line);
 * });
 */
export class Ladder {
  readonly #names: ReadonlyMap<string, string>;
  readonly #width: number;
  readonly #max: number;
  readonly #signs: typeof BOX;
  readonly #columns: Column[] = [];
  #hasHead = false;
  #began: number | undefined;

  constructor({
    names = new Map(),
    ascii = false,
    width = 34,
    maxParties = 8,
  }: LadderOptions = {}) {
    this.#names = names;
    this.#width = Math.max(12, Math.trunc(width));
    this.#max = Math.max(2, Math.trunc(maxParties));
    this.#signs = ascii ? ASCII : BOX;
  }

  /** The lines that a message adds: its arrow, below a new head when it brings a new party. */
  add(message: LadderMessage): readonly string[] {
    const from = this.column(message.from);
    const to = this.column(message.to);
    const head = this.#hasHead ? [] : this.#head();
    return [...head, this.#arrow(message, from, to)];
  }

  /** The number of a party's column, which is made where there is none. */
  column(party: string): number {
    const name = this.#names.get(party) ?? party;
    const known = this.#columns.findIndex((column) => column.name === name);
    if (known >= 0) return known;
    const last = this.#max - 1;
    if (this.#columns.length > last) return last;
    this.#hasHead = false;
    const isLast = this.#columns.length === last;
    if (isLast) this.#columns.push({ name: OTHERS, address: "" });
    else this.#columns.push({ name, address: name === party ? "" : party });
    return this.#columns.length - 1;
  }

  #head(): readonly string[] {
    this.#hasHead = true;
    const row = (texts: readonly string[]): string => {
      const cells = texts.map((text) => centred(this.#safe(text, this.#width - 2), this.#width));
      return `${" ".repeat(TIME)}${cells.join("")}`.trimEnd();
    };
    const names = row(this.#columns.map(({ name }) => name));
    const addresses = row(this.#columns.map(({ address }) => address));
    return addresses === "" ? [names] : [names, addresses];
  }

  #arrow(message: LadderMessage, from: number, to: number): string {
    this.#began ??= message.at;
    const cells = this.#lifelines();
    if (from === to) this.#loop(cells, message, from);
    else this.#draw(cells, message, from, to);
    const time = ((message.at - this.#began) / 1000).toFixed(3).padStart(TIME - 1);
    return `${time} ${cells.join("")}${this.#outsiders(message)}`.trimEnd();
  }

  #lifelines(): string[] {
    const cells = new Array<string>(this.#columns.length * this.#width).fill(" ");
    for (const index of this.#columns.keys()) cells[this.#centre(index)] = this.#signs.life;
    return cells;
  }

  #draw(cells: string[], { text, lost }: LadderMessage, from: number, to: number): void {
    const { line, left, right, lost: cross } = this.#signs;
    const toRight = from < to;
    const start = this.#centre(toRight ? from : to) + 1;
    const end = this.#centre(toRight ? to : from);
    cells.fill(line, start, end);
    const head = toRight ? right : left;
    cells[toRight ? end - 1 : start] = lost === true ? cross : head;
    const label = [...` ${this.#safe(text, end - start - 4)} `];
    const at = start + Math.floor((end - start - label.length) / 2);
    for (const [index, character] of label.entries()) cells[at + index] = character;
  }

  /** What a party sends to itself, beside its lifeline. */
  #loop(cells: string[], { text }: LadderMessage, party: number): void {
    const label = [...` ${this.#signs.self} ${this.#safe(text, Math.floor(this.#width / 2) - 4)}`];
    const at = this.#centre(party) + 1;
    for (const [index, character] of label.entries()) cells[at + index] = character;
  }

  /** Who of the two has no column of his own. */
  #outsiders({ from, to }: LadderMessage): string {
    const outside = [from, to].filter((party) => {
      const name = this.#names.get(party) ?? party;
      return !this.#columns.some((column) => column.name === name);
    });
    return outside.map((party) => `  ${this.#safe(party, 40)}`).join("");
  }

  #centre(column: number): number {
    return column * this.#width + Math.floor(this.#width / 2);
  }

  #safe(text: string, length: number): string {
    const safe = shortened(text, length);
    return this.#signs === ASCII ? safe.replaceAll("…", "~").replace(/[^ -~]/g, "?") : safe;
  }
}

/** A ladder diagram of what is over: its lines, one a message below one head. */
export function formatLadder(
  messages: readonly LadderMessage[],
  options: LadderOptions = {},
): readonly string[] {
  const longest = messages.reduce((most, { text, from, to }) => {
    return Math.max(most, text.length + 6, from.length + 2, to.length + 2);
  }, 24);
  const ladder = new Ladder({ width: Math.min(longest, 44), ...options });
  for (const { from, to } of messages) {
    ladder.column(from);
    ladder.column(to);
  }
  return messages.flatMap((message) => ladder.add(message));
}

/**
 * What a ladder says of a packet event. The parties are the leg and the peer: listen to the events of one `node`, or a
 * message between two dispatchers of one process is there twice.
 */
export function ladderMessage({ at, direction, packet, ...event }: PacketEvent): LadderMessage {
  const leg = formatHostPort(event.leg.address, event.leg.port);
  const peer = formatHostPort(event.peer.address, event.peer.port);
  const [from, to] = direction === "in" ? [peer, leg] : [leg, peer];
  return { at, from, to, text: `${ladderText(packet)}${event.retransmission ? " again" : ""}` };
}

/** A packet in a few words: `INVITE (1)`, `180 Ringing (1 INVITE)`. */
export function ladderText(packet: Packet): string {
  const [number = "", method = ""] = (packet.headers.get("CSeq") ?? "").trim().split(/[ \t]+/, 2);
  return packet.isRequest
    ? `${packet.method} (${number})`
    : `${startText(packet)} (${number} ${method})`;
}

function centred(text: string, width: number): string {
  const before = Math.floor((width - text.length + 1) / 2);
  return `${" ".repeat(Math.max(0, before))}${text}`.padEnd(width);
}
