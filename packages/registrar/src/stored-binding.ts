import { detach, type FlowRef } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { type FlowPlace, isOfPlace, type SharedParts } from "./shared-parts.ts";

const NO_PATH: readonly string[] = [];
const NO_CONNECTION = -1;
const Q_STEPS = 1000;

/**
 * A binding as the memory store keeps it: one flat object and one text, cut loose from the datagram that it came in;
 * what many bindings have in common is shared. Among a million of them each part that lies elsewhere is a miss of the
 * processor's caches. A refresh writes into it, and so leaves nothing behind for the collector.
 */
export class StoredBinding {
  /** The address-of-record's next binding. */
  next: StoredBinding | undefined = undefined;
  /** A number from the beginning, so that the engine writes it in place. */
  expiresAt = 0;
  /** URI, Call-ID, the flow's remote end and the parameters, one after the other. */
  #text = "";
  #uriEnd = 0;
  #callIdEnd = 0;
  #remoteEnd = 0;
  #q = Q_STEPS;
  #cseq = 0;
  #digest = 0;
  #connection = NO_CONNECTION;
  #place: FlowPlace | undefined = undefined;
  #path = NO_PATH;
  #userAgent: string | undefined = undefined;

  constructor(binding: Binding, shared: SharedParts) {
    this.write(binding, shared);
  }

  hasUri(uri: string): boolean {
    return uri.length === this.#uriEnd && this.#text.startsWith(uri);
  }

  /** Takes over all of a binding. */
  write(binding: Binding, shared: SharedParts): void {
    const { uri, callId, params, flow, userAgent, path } = binding;
    this.expiresAt = binding.expiresAt;
    this.#cseq = binding.cseq;
    this.#digest = binding.digest;
    this.#q = Math.round(binding.q * Q_STEPS);
    const text = uri + callId + (flow?.remote ?? "") + params;
    if (this.#text !== text) this.#text = detach(text);
    this.#uriEnd = uri.length;
    this.#callIdEnd = uri.length + callId.length;
    this.#remoteEnd = text.length - params.length;
    this.#connection = flow?.connection ?? NO_CONNECTION;
    if (flow === undefined) this.#place = undefined;
    else if (this.#place === undefined || !isOfPlace(flow, this.#place)) {
      this.#place = shared.place(flow);
    }
    if (this.#userAgent !== userAgent) this.#userAgent = userAgent && shared.text(userAgent);
    if (!isSameList(this.#path, path)) this.#path = path.map((hop) => shared.text(hop));
  }

  read(): Binding {
    const text = this.#text;
    return {
      uri: text.slice(0, this.#uriEnd),
      params: text.slice(this.#remoteEnd),
      q: this.#q / Q_STEPS,
      expiresAt: this.expiresAt,
      callId: text.slice(this.#uriEnd, this.#callIdEnd),
      cseq: this.#cseq,
      digest: this.#digest,
      path: this.#path.length === 0 ? NO_PATH : [...this.#path],
      flow: flowOf(this.#place, text.slice(this.#callIdEnd, this.#remoteEnd), this.#connection),
      userAgent: this.#userAgent,
    };
  }
}

function flowOf(
  place: FlowPlace | undefined,
  remote: string,
  connection: number,
): FlowRef | undefined {
  if (place === undefined) return undefined;
  const { node, epoch, protocol, local } = place;
  return connection === NO_CONNECTION
    ? { node, epoch, protocol, local, remote }
    : { node, epoch, protocol, local, remote, connection };
}

function isSameList(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, index) => text === others[index]);
}
