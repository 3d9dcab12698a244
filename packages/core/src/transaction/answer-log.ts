import { Buffer } from "node:buffer";
import type { Clock, Timer } from "../clock.ts";
import type { SendingLeg } from "../transport/leg.ts";
import { AnswerIndex, INDEX_BYTES } from "./answer-index.ts";
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
  // A record's position is its segment's number times the words of a segment, and its first word there, counted from 1.
  readonly #segments: (Segment | undefined)[] = [];
  readonly #free: number[] = [];
  /** The numbers of the segments that hold records, the oldest first. */
  readonly #order: number[] = [];
  #spare: Segment | undefined;
  /** The oldest record's first word in the oldest segment. */
  #first = 0;
  readonly #index = new AnswerIndex((position, key) => this.#isAt(position, key));
  #bytes = 0;
  #timer: Timer | undefined;

  /** `lifetime`: Timer J in milliseconds. `trace`: told of answers that are sent again. */
  constructor(clock: Clock, lifetime: number, trace: SendTrace) {
    this.#clock = clock;
    this.#lifetime = lifetime;
    this.#trace = trace;
    this.#epoch = clock.now();
  }

  /** How many there are. */
  get size(): number {
    return this.#index.size;
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
    const place = this.#index.vacancy(key);
    if (place < 0) return false;
    const hash = this.#index.hash(key);
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
    this.#index.put(place, number * SEGMENT_WORDS + at + 1, hash);
    this.#bytes += 4 * words + INDEX_BYTES;
    this.#timer ??= this.#clock.setTimer(this.#lifetime, this.#wake);
    return true;
  }

  /** The answer of that key. */
  find(key: string): CompletedAnswer | undefined {
    const position = this.#index.find(key);
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
    this.#index.delete(number * SEGMENT_WORDS + at + 1, segment.words[at + HASH] as number);
    this.#bytes -= 4 * words + INDEX_BYTES;
    this.#first = at + words;
    if (this.#first === segment.used) this.#release(number, segment);
  }

  /** Lets all go, and the timer. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#segments.length = 0;
    this.#free.length = 0;
    this.#order.length = 0;
    this.#spare = undefined;
    this.#index.clear();
    this.#first = 0;
    this.#bytes = 0;
  }

  #expire(): void {
    this.#timer = undefined;
    const now = this.#clock.now() - this.#epoch;
    while (this.#index.size > 0) {
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

  /** Whether the record at a position has that key. */
  #isAt(position: number, key: string): boolean {
    const { words, bytes } = this.#segmentOf(position);
    const at = (position - 1) % SEGMENT_WORDS;
    if (words[at + KEY_LENGTH] !== key.length) return false;
    const start = 4 * (at + HEADER);
    return bytes.toString("latin1", start, start + key.length) === key;
  }
}

function wordsOf(key: number, address: number, wire: number): number {
  return HEADER + Math.ceil((key + address + wire) / 4);
}

function newSegment(): Segment {
  const bytes = Buffer.allocUnsafeSlow(4 * SEGMENT_WORDS);
  return { bytes, words: new Int32Array(bytes.buffer, 0, SEGMENT_WORDS), used: 0 };
}
