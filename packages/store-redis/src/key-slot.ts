/** How many slots a cluster has. */
export const SLOTS = 16_384;

/** The checksum of each byte: CRC-16/XMODEM. */
const CHECKSUMS: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x8000 ? (sum << 1) ^ 0x1021 : sum << 1;
  return sum;
});

/** The slot of a cluster that a key belongs to: what is in its first braces tells, or all of it where they are empty. */
export function slotOf(key: string): number {
  const start = key.indexOf("{");
  const end = start < 0 ? -1 : key.indexOf("}", start);
  const tag = end > start + 1 ? key.slice(start + 1, end) : key;
  let sum = 0;
  for (const byte of Buffer.from(tag)) {
    sum = ((sum << 8) & 0xffff) ^ (CHECKSUMS[(sum >> 8) ^ byte] as number);
  }
  return sum % SLOTS;
}
