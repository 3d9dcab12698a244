import { isIPv6 } from "node:net";
import { crc32 } from "node:zlib";

const BINDING_REQUEST = 0x0001;
const BINDING_INDICATION = 0x0011;
const BINDING_SUCCESS = 0x0101;
const BINDING_ERROR = 0x0111;
const MAGIC_COOKIE = 0x2112a442;
const HEADER = 20;

const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;
const XOR_MAPPED_ADDRESS = 0x0020;
const FINGERPRINT = 0x8028;
const FINGERPRINT_XOR = 0x5354554e;

/** Those from here on a server may pass over without understanding them. */
const OPTIONAL = 0x8000;
/** What says who asks: nobody has to here, and whoever does is answered all the same. RFC 8489 §9 */
const CREDENTIALS: ReadonlySet<number> = new Set([
  0x0006, // USERNAME
  0x0008, // MESSAGE-INTEGRITY
  0x0014, // REALM
  0x0015, // NONCE
  0x001c, // MESSAGE-INTEGRITY-SHA256
  0x001d, // PASSWORD-ALGORITHM
  0x001e, // USERHASH
]);
/** Attributes that an error names: its answer stays below twice the request. */
const MAX_NAMED = 8;

interface StunMessage {
  readonly type: number;
  /** Types of the attributes that must be understood and aren't. */
  readonly unknown: readonly number[];
  readonly hasFingerprint: boolean;
}

/**
 * What is owed to a STUN message that came to a SIP port: the answer to a Binding request, by which a phone learns its public
 * address and keeps its NAT's mapping alive; `"nothing"` for an indication; `undefined` for anything that isn't well-formed STUN.
 *
 * RFC 5626 §4.4.2, §8; RFC 8489 §6, §7.3
 */
export function answerStun(
  bytes: Uint8Array,
  from: { readonly address: string; readonly port: number },
): Uint8Array | "nothing" | undefined {
  const message = readStun(bytes);
  if (message?.type === BINDING_INDICATION) return "nothing";
  if (message?.type !== BINDING_REQUEST) return undefined;
  const { unknown, hasFingerprint } = message;
  // RFC 8489 §6.3.1: what must be understood and isn't is named in a 420.
  const [type, attributes] =
    unknown.length > 0
      ? [BINDING_ERROR, unknownAttributes(unknown)]
      : [BINDING_SUCCESS, mappedAddress(from, bytes)];
  const answer = Buffer.alloc(HEADER + attributes.length + (hasFingerprint ? 8 : 0));
  answer.writeUInt16BE(type, 0);
  answer.writeUInt16BE(answer.length - HEADER, 2);
  answer.set(bytes.subarray(4, HEADER), 4);
  answer.set(attributes, HEADER);
  if (hasFingerprint) writeFingerprint(answer);
  return answer;
}

/** RFC 8489 §5, §14 */
function readStun(bytes: Uint8Array): StunMessage | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.length < HEADER || view.readUInt32BE(4) !== MAGIC_COOKIE) return undefined;
  if (view.readUInt16BE(2) !== view.length - HEADER) return undefined;
  const unknown: number[] = [];
  let hasFingerprint = false;
  for (let at = HEADER; at < view.length; ) {
    if (at + 4 > view.length || hasFingerprint) return undefined;
    const type = view.readUInt16BE(at);
    const length = view.readUInt16BE(at + 2);
    if (at + 4 + length > view.length) return undefined;
    if (type === FINGERPRINT) {
      if (length !== 4 || view.readUInt32BE(at + 4) !== fingerprint(view, at)) return undefined;
      hasFingerprint = true;
    } else if (type < OPTIONAL && !CREDENTIALS.has(type)) unknown.push(type);
    at += 4 + padded(length);
  }
  return { type: view.readUInt16BE(0), unknown, hasFingerprint };
}

/** RFC 8489 §14.2 */
function mappedAddress(
  from: { readonly address: string; readonly port: number },
  request: Uint8Array,
): Uint8Array {
  const address = isIPv6(from.address) ? ipv6Bytes(from.address) : ipv4Bytes(from.address);
  const attribute = Buffer.alloc(8 + address.length);
  attribute.writeUInt16BE(XOR_MAPPED_ADDRESS, 0);
  attribute.writeUInt16BE(4 + address.length, 2);
  attribute[5] = address.length === 4 ? 1 : 2;
  attribute.writeUInt16BE(from.port ^ (MAGIC_COOKIE >>> 16), 6);
  // The cookie and the transaction's number lie side by side in the header: both are what an address is combined with.
  for (const [at, byte] of address.entries()) attribute[8 + at] = byte ^ (request[4 + at] ?? 0);
  return attribute;
}

/** RFC 8489 §14.8, §14.13 */
function unknownAttributes(types: readonly number[]): Uint8Array {
  const named = types.slice(0, MAX_NAMED);
  const attributes = Buffer.alloc(8 + 4 + padded(2 * named.length));
  attributes.writeUInt16BE(ERROR_CODE, 0);
  attributes.writeUInt16BE(4, 2);
  attributes.writeUInt16BE(0x0414, 6); // class 4, number 20
  attributes.writeUInt16BE(UNKNOWN_ATTRIBUTES, 8);
  attributes.writeUInt16BE(2 * named.length, 10);
  for (const [at, type] of named.entries()) attributes.writeUInt16BE(type, 12 + 2 * at);
  return attributes;
}

/** RFC 8489 §14.7: over everything before it, its length counted already. */
function writeFingerprint(answer: Buffer): void {
  const at = answer.length - 8;
  answer.writeUInt16BE(FINGERPRINT, at);
  answer.writeUInt16BE(4, at + 2);
  answer.writeUInt32BE(fingerprint(answer, at), at + 4);
}

function fingerprint(message: Buffer, end: number): number {
  return (crc32(message.subarray(0, end)) ^ FINGERPRINT_XOR) >>> 0;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function ipv4Bytes(address: string): Uint8Array {
  return Uint8Array.from(address.split("."), Number);
}

function ipv6Bytes(address: string): Uint8Array {
  const [front = "", back] = address.replace(/%.*$/, "").split("::", 2);
  const head = groups(front);
  const tail = groups(back ?? "");
  const zeros = new Array<number>(Math.max(0, 16 - head.length - tail.length)).fill(0);
  return Uint8Array.from([...head, ...zeros, ...tail]);
}

/** The bytes of `2001:db8` or `ffff:192.0.2.1`. */
function groups(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return [...ipv4Bytes(group)];
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
