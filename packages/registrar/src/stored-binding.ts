import { detach, type FlowRef } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import type { Interner } from "./interner.ts";

type Protocol = FlowRef["protocol"];

const NO_PATH: readonly string[] = [];
const NO_CONNECTION = -1;
const Q_STEPS = 1000;

/**
 * A binding as the memory store keeps it: one flat object, texts cut loose from the datagrams that they came in, what
 * many bindings have in common shared. A refresh writes into it and so leaves nothing behind for the collector.
 */
export class StoredBinding {
  /** The address-of-record's next binding. */
  next: StoredBinding | undefined = undefined;
  expiresAt: number;
  readonly #uri: string;
  #params = "";
  #q = Q_STEPS;
  #callId = "";
  #cseq = 0;
  #digest = 0;
  #path = NO_PATH;
  #userAgent: string | undefined = undefined;
  #protocol: Protocol | undefined = undefined;
  #node = "";
  #epoch = "";
  #local = "";
  #remote = "";
  #connection = NO_CONNECTION;

  constructor(binding: Binding, shared: Interner) {
    this.#uri = detach(binding.uri);
    this.expiresAt = binding.expiresAt;
    this.write(binding, shared);
  }

  get uri(): string {
    return this.#uri;
  }

  /** Takes over a binding of the same URI. */
  write(binding: Binding, shared: Interner): void {
    this.expiresAt = binding.expiresAt;
    this.#cseq = binding.cseq;
    this.#digest = binding.digest;
    this.#q = Math.round(binding.q * Q_STEPS);
    if (this.#callId !== binding.callId) this.#callId = detach(binding.callId);
    if (this.#params !== binding.params) this.#params = detach(binding.params);
    if (this.#userAgent !== binding.userAgent) {
      this.#userAgent = binding.userAgent && shared.share(binding.userAgent);
    }
    if (!sameTexts(this.#path, binding.path))
      this.#path = binding.path.map((hop) => shared.share(hop));
    this.#writeFlow(binding.flow, shared);
  }

  read(): Binding {
    return {
      uri: this.#uri,
      params: this.#params,
      q: this.#q / Q_STEPS,
      expiresAt: this.expiresAt,
      callId: this.#callId,
      cseq: this.#cseq,
      digest: this.#digest,
      path: this.#path.length === 0 ? NO_PATH : [...this.#path],
      flow: this.#readFlow(),
      userAgent: this.#userAgent,
    };
  }

  #writeFlow(flow: FlowRef | undefined, shared: Interner): void {
    this.#protocol = flow?.protocol;
    this.#connection = flow?.connection ?? NO_CONNECTION;
    const remote = flow?.remote ?? "";
    if (this.#remote !== remote) this.#remote = detach(remote);
    const local = flow?.local ?? "";
    if (this.#local !== local) this.#local = shared.share(local);
    const node = flow?.node ?? "";
    if (this.#node !== node) this.#node = shared.share(node);
    const epoch = flow?.epoch ?? "";
    if (this.#epoch !== epoch) this.#epoch = shared.share(epoch);
  }

  #readFlow(): FlowRef | undefined {
    if (this.#protocol === undefined) return undefined;
    const flow = {
      node: this.#node,
      epoch: this.#epoch,
      protocol: this.#protocol,
      local: this.#local,
      remote: this.#remote,
    };
    return this.#connection === NO_CONNECTION ? flow : { ...flow, connection: this.#connection };
  }
}

function sameTexts(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((text, index) => text === others[index]);
}
