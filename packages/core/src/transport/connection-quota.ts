import { addressBlock } from "./address-block.ts";
import type { StreamLimits } from "./stream-limits.ts";

/** How many connections there may be, in all and with one host. */
export class ConnectionQuota {
  readonly #limits: Pick<StreamLimits, "maxConnections" | "maxConnectionsPerAddress">;
  readonly #perBlock = new Map<string, number>();
  #taken = 0;

  constructor(limits: Pick<StreamLimits, "maxConnections" | "maxConnectionsPerAddress">) {
    this.#limits = limits;
  }

  /** How many places are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Takes a place for a connection with that address, where there is one. */
  take(address: string): boolean {
    const { maxConnections, maxConnectionsPerAddress } = this.#limits;
    const block = addressBlock(address);
    const inBlock = this.#perBlock.get(block) ?? 0;
    if (this.#taken >= maxConnections || inBlock >= maxConnectionsPerAddress) return false;
    this.#taken += 1;
    this.#perBlock.set(block, inBlock + 1);
    return true;
  }

  /** Gives a place back. */
  free(address: string): void {
    const block = addressBlock(address);
    const left = (this.#perBlock.get(block) ?? 1) - 1;
    this.#taken -= 1;
    if (left > 0) this.#perBlock.set(block, left);
    else this.#perBlock.delete(block);
  }
}
