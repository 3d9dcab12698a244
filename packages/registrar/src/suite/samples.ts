import type { FlowRef } from "@sipkit/core";
import type { Binding } from "../binding.ts";
import type { LocationStore } from "../location-store.ts";

export const ALICE: string = "sip:alice@example.com";
export const BOB: string = "sip:bob@example.com";
/** A time in milliseconds since 1970, of the year 2100: a store that ends bindings by its own clock has time. */
export const NOON: number = 4_102_488_000_000;
export const ALL: number = 1_000_000;

export const FLOWS: readonly FlowRef[] = [
  { node: "a", epoch: "1", protocol: "udp", local: "192.0.2.1:5060", remote: "198.51.100.7:61234" },
  {
    node: "a",
    epoch: "2",
    protocol: "tcp",
    local: "192.0.2.1:5060",
    remote: "198.51.100.7:1024",
    connection: 0,
  },
  {
    node: "b",
    epoch: "7f",
    protocol: "wss",
    local: "[2001:db8::1]:443",
    remote: "[2001:db8::7]:61234",
    connection: 9_007_199_254_740_991,
  },
];

/** A binding to test a store with: `sip:contact-NAME@192.0.2.NAME`, which ends a minute after noon, unless changed. */
export function sampleBinding(name: string | number, changed: Partial<Binding> = {}): Binding {
  return {
    uri: `sip:contact-${name}@192.0.2.7;transport=udp`,
    params: `;q=0.25;+sip.instance="<urn:uuid:${name}>"`,
    q: 0.25,
    expiresAt: NOON + 60_000,
    callId: `call-${name}@192.0.2.7`,
    cseq: 2_147_483_647,
    digest: -2_147_483_648,
    path: [],
    flow: FLOWS[0],
    userAgent: "phone 1.0",
    ...changed,
  };
}

/** Defines one test; it gets an empty store. */
export type Check = (title: string, run: (store: LocationStore) => Promise<void>) => void;

export async function put(
  store: LocationStore,
  key: string,
  ...bindings: Binding[]
): Promise<void> {
  await store.update(key, () => bindings);
}

export async function uris(store: LocationStore, key: string): Promise<readonly string[]> {
  return ((await store.read(key)) ?? []).map((binding) => binding.uri);
}

/** Left out and `undefined` are the same. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
