import { detach, type Leg, type Method, type Peer, type Server } from "@sipkit/core";
import type { Standing } from "./course.ts";
import { Deadlines, Expiring } from "./deadlines.ts";
import type { Passage } from "./stateless-passage.ts";
import type { Destination } from "./target-set.ts";

/** How long an INVITE that rings is remembered, in milliseconds: as long as it may ring. RFC 3261 §16.6 step 11 */
const RINGING = 181_000;

/** Where a request went, so that what belongs to it goes the same way. */
export class ForwardRecord extends Expiring implements Passage {
  readonly id: string;
  readonly method: Method;
  readonly destination: Destination;
  readonly standing: Standing;
  readonly leg: Leg | undefined;
  /** The branch that we put on it. */
  readonly branch: string;
  /** Left out until it is known, and where its target's flow is the way. */
  way: { readonly leg: Leg; readonly to: Peer } | undefined = undefined;
  isRinging = false;

  constructor(id: string, method: Method, passage: Passage, branch: string) {
    super();
    const { destination, standing, leg } = passage;
    this.id = id;
    this.method = method;
    // What is kept longer than its packet must not keep the packet.
    this.destination = { ...destination, uri: detach(destination.uri), otherwise: undefined };
    this.standing = standing;
    this.leg = leg;
    this.branch = branch;
  }

  /** Whether a request of that method belongs to this one. */
  covers(method: Method): boolean {
    return (
      method === this.method ||
      (this.method === "INVITE" && (method === "ACK" || method === "CANCEL"))
    );
  }
}

/**
 * Where requests went, by their ids: a location table changes while a request is retransmitted or cancelled, and §16.11
 * asks for the same choice each time. Each is kept for 64·T1 after it was last heard of, an INVITE that rings as long as
 * it may ring. Of more than fit the oldest is forgotten; what belongs to it is then chosen anew.
 *
 * RFC 3261 §16.11
 */
export class ForwardRecords {
  readonly #server: Server;
  readonly #most: number;
  readonly #records = new Map<string, ForwardRecord>();
  readonly #quiet: Deadlines<ForwardRecord>;
  readonly #ringing: Deadlines<ForwardRecord>;

  constructor(server: Server, most: number) {
    this.#server = server;
    this.#most = most;
    const forget = (record: ForwardRecord): void => {
      this.#records.delete(record.id);
    };
    this.#quiet = new Deadlines(server.clock, 64 * server.t1, forget);
    this.#ringing = new Deadlines(server.clock, RINGING, forget);
  }

  get size(): number {
    return this.#records.size;
  }

  find(id: string, method: Method): ForwardRecord | undefined {
    const record = this.#records.get(id);
    return record?.covers(method) ? record : undefined;
  }

  add(record: ForwardRecord): void {
    const known = this.#records.get(record.id);
    if (known !== undefined) this.delete(known);
    else if (this.#records.size >= this.#most) {
      const oldest = this.#records.values().next().value;
      if (oldest !== undefined) this.delete(oldest);
      this.#server.count("forgottenForwards");
    }
    this.#records.set(record.id, record);
    this.#quiet.set(record);
  }

  delete(record: ForwardRecord): void {
    if (this.#records.get(record.id) !== record) return;
    this.#records.delete(record.id);
    this.#deadlineOf(record).delete(record);
  }

  /** The request came again, or something that belongs to it. */
  touch(record: ForwardRecord): void {
    this.#deadlineOf(record).set(record);
  }

  /** A response to it passed. */
  answered(id: string, status: number): void {
    const record = this.#records.get(id);
    if (record === undefined) return;
    this.#deadlineOf(record).delete(record);
    record.isRinging = status < 200 && record.method === "INVITE";
    this.#deadlineOf(record).set(record);
  }

  close(): void {
    this.#quiet.close();
    this.#ringing.close();
    this.#records.clear();
  }

  #deadlineOf({ isRinging }: ForwardRecord): Deadlines<ForwardRecord> {
    return isRinging ? this.#ringing : this.#quiet;
  }
}
