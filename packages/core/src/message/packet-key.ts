/**
 * A name under which handlers share a fact about a packet, with the fact's type. Keys are compared by identity: two
 * keys of one name are two keys.
 */
export interface PacketKey<in out T> {
  readonly name: string;
  /** Never set: it holds `T` for the type checker. */
  readonly type?: (fact: T) => T;
}

/**
 * Makes a key for {@link PacketKey}.
 *
 * @example
 * export const tenant: PacketKey<Tenant> = packetKey("acme tenant");
 */
export function packetKey<T>(name: string): PacketKey<T> {
  return Object.freeze({ name });
}
