import { Buffer } from "node:buffer";
import type { Clock, Timer } from "../clock.ts";
import type { SendingLeg } from "../transport/leg.ts";
import { CompletedAnswer } from "./completed-answer.ts";
import type { Outlet, SendTrace } from "./outlet.ts";

/** A piece of the log: records one after another, each a header of 32-bit words and its texts. */
interface Segment {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  /** How many words hold records. */
  used: number;
}

const SEGMENT_WORDS = 65_536;
// The words of a record's header. Its key, its peer's address and its wire string follow.
const HASH = 0;
const DUE = 1;
const WORDS = 2;
const KEY_LENGTH = 3;
const ADDRESS_LENGTH = 4;
const WIRE_LENGTH = 5;
const LEG = 6;
const PORT = 7;
const HEADER = 8;

// A place in the index has two words: a record's position, and its hash, so that few records are looked at.
const PLACE = 2;
const SMALLEST_INDEX = PLACE * 256;
// What a record costs in the index, which is half full at most and a quarter full at least.
const INDEX_BYTES = 4 * PLACE * 3;
// Keys that were chosen to meet at one place cost no more than this, and are not kept.
const LONGEST_PROBE = 64;

/**
 * The answers to non-INVITE requests that were completed over unreliable transports, each for Timer J, in order. They
 * are the only transactions that a server has by the hundred thousand, so they are no objects: texts are written into a
 * log outside the garbage collector's heap and found by an open-addressed index. The oldest go first, when their time is
 * up or their place is needed. To keep one this way costs a quarter of what a map of records costs.
 *
 * RFC 3261 §17.2.2
 */
export class AnswerLog {
  readonly #clock: Clock;
  readonly #lifetime: number;
  readonly #epoch: number;
  readonly #trace: SendTrace;
  readonly #wake = (): void => this.#expire();
  readonly #legs: SendingLeg[] = [];
  // A record's position is its segment's number times the words of a segment, and its first word there.
  readonly #segments: (Segment | undefined)[] = [];
  readonly #free: number[] = [];
  /** The numbers of the segments that hold records, the oldest first. */
  readonly #order: number[] = [];
  #spare: Segment | undefined;
  /** The oldest record's first word in the oldest segment. */
  #first = 0;
  // 0 is an empty place, so positions are kept one higher.
  #index = new Int32Array(SMALLEST_INDEX);
  #size = 0;
  #bytes = 0;
  #timer: Timer | undefined;
  #lastKey = "";
  #lastHash = 0;

  /** `lifetime`: Timer J in milliseconds. `trace`: told of answers that are sent again. */
  constructor(clock: Clock, lifetime: number, trace: SendTrace) {
    this.#clock = clock;
    this.#lifetime = lifetime;
    this.#trace = trace;
    this.#epoch = clock.now();
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** What they take, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What an answer would take, in bytes. */
  static bytesOf(key: string, outlet: Outlet, wire: string): number {
    return 4 * wordsOf(key.length, outlet.peer.address.length, wire.length) + INDEX_BYTES;
  }

  /**
   * Keeps an answer. `false`: one of that key is there already, it is longer than a segment, or too many keys share its
   * place.
   */
  add(key: string, outlet: Outlet, wire: string): boolean {
    const { leg, peer } = outlet;
    const words = wordsOf(key.length, peer.address.length, wire.length);
    if (words > SEGMENT_WORDS) return false;
    if (this.#size * 2 * PLACE >= this.#index.length) this.#reindex(this.#index.length * 2);
    const hash = this.#hash(key);
    const place = this.#place(key, hash);
    if (place < 0 || this.#index[place] !== 0) return false;
    const number = this.#segmentFor(words);
    const segment = this.#segments[number] as Segment;
    const at = segment.used;
    segment.used += words;
    const header = segment.words;
    header[at + HASH] = hash;
    header[at + DUE] = Math.ceil(this.#clock.now() + this.#lifetime - this.#epoch);
    header[at + WORDS] = words;
    header[at + KEY_LENGTH] = key.length;
    header[at + ADDRESS_LENGTH] = peer.address.length;
    header[at + WIRE_LENGTH] = wire.length;
    header[at + LEG] = this.#legNumber(leg);
    header[at + PORT] = peer.port;
    const { bytes } = segment;
    const start = 4 * (at + HEADER);
    bytes.write(key, start, "latin1");
    const address = start + key.length;
    for (let i = 0; i < peer.address.length; i++) bytes[address + i] = peer.address.charCodeAt(i);
    bytes.write(wire, address + peer.address.length, "latin1");
    this.#index[place] = number * SEGMENT_WORDS + at + 1;
    this.#index[place + 1] = hash;
    this.#size++;
    this.#bytes += 4 * words + INDEX_BYTES;
    this.#timer ??= this.#clock.setTimer(this.#lifetime, this.#wake);
    return true;
  }

  /** The answer of that key. */
  find(key: string): CompletedAnswer | undefined {
    if (this.#size === 0) return undefined;
    const place = this.#place(key, this.#hash(key));
    const position = place < 0 ? 0 : (this.#index[place] as number);
    if (position === 0) return undefined;
    const { words, bytes } = this.#segmentOf(position);
    const at = (position - 1) % SEGMENT_WORDS;
    const address = 4 * (at + HEADER) + key.length;
    const wire = address + (words[at + ADDRESS_LENGTH] as number);
    const leg = this.#legs[words[at + LEG] as number] as SendingLeg;
    const peer = {
      protocol: leg.protocol,
      address: bytes.toString("latin1", address, wire),
      port: words[at + PORT] as number,
    };
    const end = wire + (words[at + WIRE_LENGTH] as number);
    const text = bytes.toString("latin1", wire, end);
    return new CompletedAnswer({ leg, peer }, text, this.#trace);
  }

  /** Lets the oldest go. */
  dropOldest(): void {
    const [number] = this.#order;
    if (number === undefined) return;
    const segment = this.#segments[number] as Segment;
    const at = this.#first;
    const words = segment.words[at + WORDS] as number;
    this.#unindex(number * SEGMENT_WORDS + at + 1, segment.words[at + HASH] as number);
    this.#size--;
    this.#bytes -= 4 * words + INDEX_BYTES;
    this.#first = at + words;
    if (this.#first === segment.used) this.#release(number, segment);
    if (this.#size === 0 && this.#index.length > SMALLEST_INDEX) this.#reindex(SMALLEST_INDEX);
  }

  /** Lets all go, and the timer. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#segments.length = 0;
    this.#free.length = 0;
    this.#order.length = 0;
    this.#spare = undefined;
    this.#index = new Int32Array(SMALLEST_INDEX);
    this.#first = 0;
    this.#size = 0;
    this.#bytes = 0;
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#clock.now() - this.#epoch;
    while (this.#size > 0) {
      // Times are kept as 32 bits, which run over after 49 days: only their difference counts.
      const wait = ((this.#oldestDue() - Math.floor(now)) | 0) - (now - Math.floor(now));
      if (wait > 0) {
        this.#timer = this.#clock.setTimer(wait, this.#wake);
        return;
      }
      this.dropOldest();
    }
  }

  #oldestDue(): number {
    const segment = this.#segments[this.#order[0] as number] as Segment;
    return segment.words[this.#first + DUE] as number;
  }

  #legNumber(leg: SendingLeg): number {
    const number = this.#legs.indexOf(leg);
    return number < 0 ? this.#legs.push(leg) - 1 : number;
  }

  /** The newest segment that has room, or a new one. */
  #segmentFor(words: number): number {
    const newest = this.#order.at(-1);
    if (newest !== undefined) {
      const { used } = this.#segments[newest] as Segment;
      if (used + words <= SEGMENT_WORDS) return newest;
    }
    const number = this.#free.pop() ?? this.#segments.length;
    this.#segments[number] = this.#spare ?? newSegment();
    this.#spare = undefined;
    this.#order.push(number);
    return number;
  }

  /** Takes back the oldest segment, all of whose records are gone. */
  #release(number: number, segment: Segment): void {
    this.#order.shift();
    this.#first = 0;
    segment.used = 0;
    this.#segments[number] = undefined;
    this.#spare = segment;
    this.#free.push(number);
  }

  #segmentOf(position: number): Segment {
    return this.#segments[Math.floor((position - 1) / SEGMENT_WORDS)] as Segment;
  }

  /** Where in the index the key is, or would be; -1 when its neighbourhood is full. */
  #place(key: string, hash: number): number {
    const index = this.#index;
    const mask = index.length - 1;
    let place = (hash * PLACE) & mask;
    for (let probe = 0; probe < LONGEST_PROBE; probe++) {
      const position = index[place] as number;
      if (position === 0 || (index[place + 1] === hash && this.#holds(position, key))) return place;
      place = (place + PLACE) & mask;
    }
    return -1;
  }

  #holds(position: number, key: string): boolean {
    const { words, bytes } = this.#segmentOf(position);
    const at = (position - 1) % SEGMENT_WORDS;
    if (words[at + KEY_LENGTH] !== key.length) return false;
    const start = 4 * (at + HEADER);
    return bytes.toString("latin1", start, start + key.length) === key;
  }

  /** Takes a position out of the index, and moves those up that lie behind their own place for it. */
  #unindex(position: number, hash: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let hole = (hash * PLACE) & mask;
    while (index[hole] !== position) hole = (hole + PLACE) & mask;
    for (let next = (hole + PLACE) & mask; index[next] !== 0; next = (next + PLACE) & mask) {
      const home = ((index[next + 1] as number) * PLACE) & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        index[hole] = index[next] as number;
        index[hole + 1] = index[next + 1] as number;
        hole = next;
      }
    }
    index[hole] = 0;
  }

  #reindex(length: number): void {
    const old = this.#index;
    const index = new Int32Array(length);
    const mask = length - 1;
    for (let from = 0; from < old.length; from += PLACE) {
      if (old[from] === 0) continue;
      let place = ((old[from + 1] as number) * PLACE) & mask;
      while (index[place] !== 0) place = (place + PLACE) & mask;
      index[place] = old[from] as number;
      index[place + 1] = old[from + 1] as number;
    }
    this.#index = index;
  }

  /** A key is looked for, and then added: its hash is computed once. */
  #hash(key: string): number {
    if (key !== this.#lastKey) {
      this.#lastHash = hashOf(key);
      this.#lastKey = key;
    }
    return this.#lastHash;
  }
}

function wordsOf(key: number, address: number, wire: number): number {
  return HEADER + Math.ceil((key + address + wire) / 4);
}

function newSegment(): Segment {
  const bytes = Buffer.allocUnsafeSlow(4 * SEGMENT_WORDS);
  return { bytes, words: new Int32Array(bytes.buffer, 0, SEGMENT_WORDS), used: 0 };
}

function hashOf(key: string): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return hash ^ (hash >>> 15);
}
