import type { AnyHandler, Packet } from "@sipkit/core";
import { expect } from "vitest";
import type { Column } from "./columns.ts";
import type { Erratum } from "./errata.ts";
import { byLink, linkOf, parseFigure, type Step } from "./figure.ts";
import { likenessOf } from "./likeness.ts";
import { Phone, type PhoneOptions } from "./phone.ts";
import { Recorder } from "./recorder.ts";
import { faultsIn } from "./relations.ts";
import { messageFor, type Vector, vectorsOf } from "./vectors.ts";
import { type Host, type World, worldOf } from "./world.ts";

/** A server of a flow: sipkit, with these handlers. */
export interface ServerRole extends Host {
  readonly domains: readonly string[];
  readonly aliases?: readonly string[];
  readonly receiver: readonly AnyHandler[];
}

/** A phone of a flow, played by the RFC's text. */
export interface PhoneRole extends Host, PhoneOptions {
  readonly phone: true;
  /** Through which URI it reaches domains. */
  readonly proxies?: Readonly<Record<string, string>>;
}

/** A call flow of an RFC. */
export interface Flow {
  readonly rfc: number;
  readonly section: string;
  /** See `parseFigure`. */
  readonly figure: string;
  /** By the names of the figure; made anew for each run. */
  readonly cast: (column: Column) => Readonly<Record<string, ServerRole | PhoneRole>>;
  /** What comes before the figure's first line; nothing of it is recorded. */
  readonly before?: (stage: Stage) => Promise<void>;
  /** By message. */
  readonly errata?: Readonly<Record<string, readonly Erratum[]>>;
  /** Messages that a phone's dispatcher sends without being told. */
  readonly byItself?: readonly string[];
  /** Headers that aren't compared, by message, `all` for every one: where ours may differ. See `likenessOf`. */
  readonly except?: Readonly<Record<string, readonly string[]>>;
}

let stages = 0;

/** Runs a flow: who is in it, what they said, and whether that is what the RFC shows. */
export class Stage {
  readonly column: Column;
  readonly #flow: Flow;
  readonly #steps: readonly Step[];
  readonly #optional: readonly Step[];
  readonly #vectors: ReadonlyMap<string, Vector>;
  readonly #world: World;
  readonly #recorder: Recorder;
  readonly #phones = new Map<string, Phone>();
  readonly #nodes = new Map<string, string>();

  private constructor(flow: Flow, column: Column) {
    this.#flow = flow;
    this.column = column;
    const steps = parseFigure(flow.figure);
    this.#steps = steps.filter(({ isOptional }) => !isOptional);
    this.#optional = steps.filter(({ isOptional }) => isOptional);
    this.#vectors = vectorsOf(flow.rfc, flow.section);
    this.#world = worldOf(column);
    this.#recorder = new Recorder(this.#nodes, (from, packet) => this.#mayBeMissing(from, packet));
  }

  /** Plays a flow, and holds every message to the RFC's. */
  static async play(flow: Flow, column: Column): Promise<Stage> {
    const stage = new Stage(flow, column);
    try {
      await stage.#open();
      await flow.before?.(stage);
      stage.#recorder.clear();
      for (const [i, step] of stage.#steps.entries()) await stage.#perform(step, i);
      await stage.#arrived(stage.#steps, "the last messages");
      await stage.#world.rest();
      stage.#check();
    } finally {
      await stage.#world.close();
      stage.#recorder.close();
    }
    return stage;
  }

  phone(name: string): Phone {
    const phone = this.#phones.get(name);
    if (phone === undefined) throw new Error(`${name} is no phone`);
    return phone;
  }

  /** Registers a phone's contact, which must succeed. */
  async register(name: string, addressOfRecord: string, contact: string): Promise<void> {
    const registering = this.phone(name).register(addressOfRecord, contact);
    const { status } = await this.#world.until(registering, () => "the REGISTER isn't answered");
    expect(status).toBe(200);
  }

  /** Has a phone challenged for a message of the flow before it begins. */
  async prime(name: string, step: string): Promise<void> {
    const message = this.printed(step);
    if (!message.isRequest) throw new Error(`${step} is no request`);
    await this.#world.until(this.phone(name).prime(message), () => "there is no challenge");
  }

  /** A message as the RFC should print it, for this column. */
  printed(step: string): Packet {
    const vector = this.#vectors.get(step);
    if (vector === undefined) throw new Error(`the RFC prints no ${step}`);
    return messageFor(vector, this.column, this.#flow.errata?.[step]);
  }

  /** A message as it was sent. */
  sent(step: string): Packet {
    const passage = this.#passageOf(step);
    if (passage === undefined) throw new Error(`nobody sent ${step}`);
    return passage.sent;
  }

  async #open(): Promise<void> {
    const number = ++stages;
    for (const [name, role] of Object.entries(this.#flow.cast(this.column))) {
      const node = `stage${number}-${name.replaceAll(" ", "")}`;
      this.#nodes.set(node, name);
      if ("phone" in role) {
        const phone = new Phone(role);
        phone.dispatcher = await this.#world.serve(name, role, {
          node,
          domainToProxy: role.proxies ?? {},
          receiver: (packet: Packet) => phone.receive(packet),
        });
        this.#phones.set(name, phone);
      } else {
        const { domains, aliases = [], receiver } = role;
        await this.#world.serve(name, role, { node, domains, aliases, receiver });
      }
    }
  }

  async #perform(step: Step, index: number): Promise<void> {
    const phone = this.#phones.get(step.from);
    const isTold = this.#vectors.has(step.name) && !this.#flow.byItself?.includes(step.name);
    if (phone === undefined || !isTold) return;
    await this.#arrived(this.#steps.slice(0, index), `what comes before ${step.name}`);
    phone.say(this.printed(step.name));
  }

  /** Waits until as many messages have arrived on each link as the figure has. */
  async #arrived(steps: readonly Step[], what: string): Promise<void> {
    const wanted = countByLink(steps);
    const holds = (): boolean => {
      const arrived = countByLink(this.#recorder.passages.filter(({ to }) => to !== ""));
      return [...wanted].every(([link, count]) => (arrived.get(link) ?? 0) >= count);
    };
    const soFar = (): string =>
      this.#recorder.passages.map(({ from, to, what }) => `${from} -> ${to}: ${what}`).join("\n");
    await this.#world.until(this.#recorder.when(holds), () => `${what} didn't come:\n${soFar()}`);
  }

  #mayBeMissing(from: string, packet: Packet): boolean {
    if (packet.isRequest) return false;
    // A phone of the RFC says no 100; ours, being a dispatcher, does when its user takes longer than 200 ms.
    if (packet.status === 100 && this.#phones.has(from)) return true;
    return this.#optional.some(
      (step) =>
        step.from === from &&
        step.what === `${packet.status}` &&
        this.printed(step.name).cseq.number === packet.cseq.number,
    );
  }

  #passageOf(name: string): { readonly sent: Packet } | undefined {
    const step = this.#steps.find((each) => each.name === name);
    if (step === undefined) throw new Error(`the figure has no ${name}`);
    const link = linkOf(step);
    const index = this.#steps.filter((each) => linkOf(each) === link).indexOf(step);
    return this.#recorder.passages.filter((passage) => linkOf(passage) === link)[index];
  }

  #check(): void {
    expect(this.#world.errors).toEqual([]);
    expect(byLink(this.#recorder.passages)).toEqual(byLink(this.#steps));
    expect(faultsIn(this.#recorder.passages)).toEqual([]);
    const tags = this.#phonesTags();
    const ours: Record<string, unknown> = {};
    const theirs: Record<string, unknown> = {};
    for (const { name } of this.#steps) {
      const vector = this.#vectors.get(name);
      if (vector === undefined || !this.#isReadable(vector, name)) continue;
      const { all = [], [name]: own = [] } = this.#flow.except ?? {};
      const except = new Set([...all, ...own]);
      // Nothing that is printed says how long it is.
      if (vector.length_match === null) except.add("content-length");
      ours[name] = likenessOf(this.sent(name), tags, except);
      theirs[name] = likenessOf(this.printed(name), tags, except);
    }
    expect(ours).toEqual(theirs);
  }

  #isReadable(vector: Vector, step: string): boolean {
    return vector.usable_for_parser || this.#flow.errata?.[step] !== undefined;
  }

  /** The tags that the RFC's phones chose for themselves. */
  #phonesTags(): ReadonlySet<string> {
    const tags = new Set<string>();
    for (const { name, from } of this.#steps) {
      if (!this.#phones.has(from) || !this.#vectors.has(name)) continue;
      const printed = this.printed(name);
      // Its dispatcher answers a CANCEL.
      if (printed.method === "CANCEL") continue;
      const own = printed.isRequest ? printed.fromTag : printed.toTag;
      if (own !== undefined) tags.add(own);
    }
    return tags;
  }
}

function countByLink(
  messages: readonly { readonly from: string; readonly to: string }[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const message of messages) {
    const link = linkOf(message);
    counts.set(link, (counts.get(link) ?? 0) + 1);
  }
  return counts;
}
