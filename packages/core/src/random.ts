import { randomFillSync } from "node:crypto";

/** Chance, injected everywhere, so that a failing seed replays exactly. */
export interface Random {
  /** `size` unpredictable bytes. */
  bytes(size: number): Uint8Array;
  /** 96 unpredictable bits as 16 characters of base64url: fit for a tag, a branch or a Call-ID. */
  token(): string;
}

const POOL_SIZE = 6144;
const TOKEN_BYTES = 12;

/** Chance from the operating system, drawn in pools: a call of its own for eight bytes costs 2 µs. */
export function systemRandom(): Random {
  const pool = Buffer.allocUnsafeSlow(POOL_SIZE);
  let used = POOL_SIZE;
  const take = (size: number): Buffer => {
    if (used + size > POOL_SIZE) {
      randomFillSync(pool);
      used = 0;
    }
    used += size;
    return pool.subarray(used - size, used);
  };
  return {
    bytes: (size) =>
      size > POOL_SIZE ? randomFillSync(new Uint8Array(size)) : Uint8Array.from(take(size)),
    token: () => take(TOKEN_BYTES).toString("base64url"),
  };
}
