import type { FlowRef } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import {
  type Agent,
  agentOf,
  type FlowPlace,
  isOfAgent,
  isOfPlace,
  isSameList,
  NO_AGENT,
  pathOf,
  placeOf,
} from "./binding-parts.ts";
import { SharedValues } from "./shared-values.ts";
import { TextArena } from "./text-arena.ts";

/** No row, no place, no value. */
export const NONE = -1;

const ROWS_A_CHUNK = 4096;
/** A row is 64 bytes: two numbers of eight bytes, then fourteen of four. */
const DOUBLES = 8;
const EXPIRES_AT = 0;
const CONNECTION = 1;
const INTS = 16;
const CSEQ = 4;
const DIGEST = 5;
/** In thousandths. */
const Q = 6;
const TEXT = 7;
const URI_END = 8;
const CALL_ID_END = 9;
const REMOTE_END = 10;
const FLOW_PLACE = 11;
const PATH = 12;
const AGENT = 13;
const NEXT = 14;
const HEAP_PLACE = 15;

const Q_STEPS = 1000;
const NO_PATH: readonly string[] = Object.freeze([]);

interface Chunk {
  readonly doubles: Float64Array;
  readonly ints: Int32Array;
}

/**
 * Bindings as rows of numbers outside of the engine's heap, each with one text in an arena. An object for each would
 * make the collector walk over all of them, and each of its parts would lie elsewhere: among a million that is a miss
 * of the processor's caches each. A row is written in place, so a refresh leaves nothing behind.
 */
export class BindingTable {
  readonly #chunks: Chunk[] = [];
  readonly #texts = new TextArena();
  readonly #places = new SharedValues<FlowPlace>();
  readonly #paths = new SharedValues<readonly string[]>();
  readonly #agents = new SharedValues<Agent>();
  /** The first of the free rows, which are linked by NEXT. */
  #free = NONE;
  #rows = 0;

  /** Rows in use. */
  get size(): number {
    return this.#rows;
  }

  /** Different texts, legs, Paths and makes of devices that are kept. */
  get parts(): number {
    return this.#texts.size + this.#places.size + this.#paths.size + this.#agents.size;
  }

  add(binding: Binding): number {
    if (this.#free === NONE) this.#grow();
    const row = this.#free;
    this.#free = this.next(row);
    this.#rows += 1;
    const ints = this.#ints(row);
    const at = base(row);
    ints[at + FLOW_PLACE] = ints[at + PATH] = ints[at + AGENT] = NONE;
    ints[at + NEXT] = ints[at + HEAP_PLACE] = NONE;
    ints[at + TEXT] = this.#texts.put(textOf(binding));
    this.#write(row, binding);
    return row;
  }

  /** Puts another binding into a row, whose place among the others stays. */
  replace(row: number, binding: Binding): void {
    const ints = this.#ints(row);
    const handle = ints[base(row) + TEXT] as number;
    const text = textOf(binding);
    if (this.#texts.get(handle) !== text) {
      this.#texts.delete(handle);
      ints[base(row) + TEXT] = this.#texts.put(text);
    }
    this.#write(row, binding);
  }

  delete(row: number): void {
    const ints = this.#ints(row);
    const at = base(row);
    this.#texts.delete(ints[at + TEXT] as number);
    this.#places.release(ints[at + FLOW_PLACE] as number);
    this.#paths.release(ints[at + PATH] as number);
    this.#agents.release(ints[at + AGENT] as number);
    ints[at + NEXT] = this.#free;
    this.#free = row;
    this.#rows -= 1;
  }

  read(row: number): Binding {
    const ints = this.#ints(row);
    const at = base(row);
    const text = this.#texts.get(ints[at + TEXT] as number);
    const uriEnd = ints[at + URI_END] as number;
    const callIdEnd = ints[at + CALL_ID_END] as number;
    const remoteEnd = ints[at + REMOTE_END] as number;
    const agent = this.#agents.get(ints[at + AGENT] as number) ?? NO_AGENT;
    const { userAgent, methods, attributes } = agent;
    const binding = {
      uri: text.slice(0, uriEnd),
      params: text.slice(remoteEnd),
      q: (ints[at + Q] as number) / Q_STEPS,
      expiresAt: this.expiresAt(row),
      callId: text.slice(uriEnd, callIdEnd),
      cseq: ints[at + CSEQ] as number,
      digest: ints[at + DIGEST] as number,
      path: this.#path(ints[at + PATH] as number),
      flow: this.#flow(row, text.slice(callIdEnd, remoteEnd)),
      userAgent,
    };
    if (methods === undefined && attributes === undefined) return binding;
    return {
      ...binding,
      ...(methods && { methods: [...methods] }),
      ...(attributes && { attributes: { ...attributes } }),
    };
  }

  expiresAt(row: number): number {
    return this.#doubles(row)[doubleBase(row) + EXPIRES_AT] as number;
  }

  next(row: number): number {
    return this.#ints(row)[base(row) + NEXT] as number;
  }

  setNext(row: number, next: number): void {
    this.#ints(row)[base(row) + NEXT] = next;
  }

  /** Its place in the heap of expiry times. */
  placeOf(row: number): number {
    return this.#ints(row)[base(row) + HEAP_PLACE] as number;
  }

  setPlace(row: number, place: number): void {
    this.#ints(row)[base(row) + HEAP_PLACE] = place;
  }

  #write(row: number, binding: Binding): void {
    const { uri, callId, flow, path } = binding;
    const ints = this.#ints(row);
    const at = base(row);
    const doubles = this.#doubles(row);
    doubles[doubleBase(row) + EXPIRES_AT] = binding.expiresAt;
    doubles[doubleBase(row) + CONNECTION] = flow?.connection ?? NONE;
    ints[at + CSEQ] = binding.cseq;
    ints[at + DIGEST] = binding.digest;
    ints[at + Q] = Math.round(binding.q * Q_STEPS);
    ints[at + URI_END] = uri.length;
    ints[at + CALL_ID_END] = uri.length + callId.length;
    ints[at + REMOTE_END] = uri.length + callId.length + (flow?.remote.length ?? 0);
    const place = ints[at + FLOW_PLACE] as number;
    if (!isOfPlace(flow, this.#places.get(place))) {
      this.#places.release(place);
      ints[at + FLOW_PLACE] = flow === undefined ? NONE : this.#places.use(...placeOf(flow));
    }
    const kept = ints[at + PATH] as number;
    if (!isSameList(this.#paths.get(kept) ?? NO_PATH, path)) {
      this.#paths.release(kept);
      ints[at + PATH] = path.length === 0 ? NONE : this.#paths.use(...pathOf(path));
    }
    const agent = ints[at + AGENT] as number;
    if (!isOfAgent(binding, this.#agents.get(agent) ?? NO_AGENT)) {
      this.#agents.release(agent);
      ints[at + AGENT] = isOfAgent(binding, NO_AGENT)
        ? NONE
        : this.#agents.use(...agentOf(binding));
    }
  }

  #path(number: number): readonly string[] {
    return number === NONE ? NO_PATH : [...(this.#paths.get(number) ?? NO_PATH)];
  }

  #flow(row: number, remote: string): FlowRef | undefined {
    const place = this.#places.get(this.#ints(row)[base(row) + FLOW_PLACE] as number);
    if (place === undefined) return undefined;
    const { node, epoch, protocol, local } = place;
    const connection = this.#doubles(row)[doubleBase(row) + CONNECTION] as number;
    return connection === NONE
      ? { node, epoch, protocol, local, remote }
      : { node, epoch, protocol, local, remote, connection };
  }

  #grow(): void {
    const first = this.#chunks.length * ROWS_A_CHUNK;
    const buffer = new ArrayBuffer(ROWS_A_CHUNK * INTS * Int32Array.BYTES_PER_ELEMENT);
    this.#chunks.push({ doubles: new Float64Array(buffer), ints: new Int32Array(buffer) });
    for (let row = first + ROWS_A_CHUNK - 1; row >= first; row -= 1) {
      this.setNext(row, this.#free);
      this.#free = row;
    }
  }

  #ints(row: number): Int32Array {
    return (this.#chunks[Math.floor(row / ROWS_A_CHUNK)] as Chunk).ints;
  }

  #doubles(row: number): Float64Array {
    return (this.#chunks[Math.floor(row / ROWS_A_CHUNK)] as Chunk).doubles;
  }
}

function base(row: number): number {
  return (row % ROWS_A_CHUNK) * INTS;
}

function doubleBase(row: number): number {
  return (row % ROWS_A_CHUNK) * DOUBLES;
}

/** URI, Call-ID, the flow's remote end and the parameters, one after the other. */
function textOf({ uri, callId, flow, params }: Binding): string {
  return uri + callId + (flow?.remote ?? "") + params;
}
