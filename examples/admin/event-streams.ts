import type { EventEmitter } from "node:events";
import {
  type BindingEvent,
  type ReachabilityEvent,
  type RegistrarEvents,
  userUri,
} from "@sipkit/registrar";
import { bindingView } from "./binding-view.ts";

const CHANGES = ["added", "refreshed", "removed", "expired", "lost"] as const;
const PINGED = ["reachable", "unreachable"] as const;
/** Streams that are open at once. */
const MOST_STREAMS = 20;
/** Events that wait for a reader who is slow; then his stream ends, and he reads the list anew. */
const MOST_WAITING = 1000;
/** Milliseconds between two signs of life. */
const QUIET = 15_000;

type Stream = ReadableStreamDefaultController<Uint8Array>;

/** What becomes of bindings, as server-sent events for a bounded number of readers. */
export class EventStreams {
  readonly #streams = new Set<Stream>();
  readonly #events: EventEmitter<RegistrarEvents>;
  readonly #listeners = [
    ...CHANGES.map(
      (name) => [name, (event: BindingEvent): void => this.#tell(name, event)] as const,
    ),
    ...PINGED.map(
      (name) => [name, (event: ReachabilityEvent): void => this.#tellPinged(name, event)] as const,
    ),
  ];
  readonly #timer: NodeJS.Timeout;

  constructor(events: EventEmitter<RegistrarEvents>) {
    this.#events = events;
    for (const [name, listener] of this.#listeners) events.on(name, listener);
    this.#timer = setInterval(() => this.#send(": still there\n\n"), QUIET);
  }

  /** `undefined`: too many are open. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#streams.size >= MOST_STREAMS) return undefined;
    let stream: Stream | undefined;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          stream = controller;
          this.#streams.add(stream);
          stream.enqueue(Buffer.from(": here they come\n\n"));
        },
        cancel: () => {
          if (stream !== undefined) this.#streams.delete(stream);
        },
      },
      new CountQueuingStrategy({ highWaterMark: MOST_WAITING }),
    );
  }

  close(): void {
    clearInterval(this.#timer);
    for (const [name, listener] of this.#listeners) this.#events.off(name, listener);
    for (const stream of this.#streams) this.#end(stream);
  }

  #tell(name: string, { addressOfRecord, binding, previous, reason, by }: BindingEvent): void {
    if (this.#streams.size === 0) return;
    this.#sendEvent(name, {
      addressOfRecord,
      uri: userUri(addressOfRecord),
      binding: bindingView(binding),
      previous: previous && bindingView(previous),
      reason,
      by,
    });
  }

  #tellPinged(
    reachability: "reachable" | "unreachable",
    { addressOfRecord, binding, ...told }: ReachabilityEvent,
  ): void {
    if (this.#streams.size === 0) return;
    this.#sendEvent(reachability, {
      addressOfRecord,
      uri: userUri(addressOfRecord),
      binding: bindingView({ ...binding, reachability, ...told }),
    });
  }

  /** JSON has no line ends, so nothing that a phone sent can begin a field or an event of its own. */
  #sendEvent(name: string, data: object): void {
    this.#send(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  #send(text: string): void {
    const bytes = Buffer.from(text);
    for (const stream of this.#streams) {
      if ((stream.desiredSize ?? 0) > 0) stream.enqueue(bytes);
      else this.#end(stream);
    }
  }

  #end(stream: Stream): void {
    this.#streams.delete(stream);
    stream.close();
  }
}
