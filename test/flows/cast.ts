import { Authorize } from "@sipkit/auth";
import { type AnyHandler, identity } from "@sipkit/core";
import { Proxy, Redirect } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import type { PhoneRole, ServerRole, Stage } from "./stage.ts";

/** Alice's phone, with credentials in both domains. RFC 3665 §1.3 */
export const alice: PhoneRole = {
  phone: true,
  address: "192.0.2.101",
  sentBy: "client.atlanta.example.com:5060",
  credentials: {
    "atlanta.example.com": ["alice", "alice's secret"],
    "biloxi.example.com": ["alice", "alice's other secret"],
  },
};

/** Bob's phone. */
export const bob: PhoneRole = {
  phone: true,
  address: "192.0.2.201",
  sentBy: "client.biloxi.example.com:5060",
  credentials: { "biloxi.example.com": ["bob", "bob's secret"] },
};

/** Bob's phone in another place. */
export const bobInChicago: PhoneRole = {
  phone: true,
  address: "192.0.2.100",
  sentBy: "client.chicago.example.com:5060",
  credentials: {
    "biloxi.example.com": ["bob", "bob's secret"],
    "chicago.example.com": ["bob", "bob's secret"],
  },
};

/** Proxy 1, which asks its users who they are. */
export function proxy1(): ServerRole {
  return {
    address: "192.0.2.111",
    sentBy: "ss1.atlanta.example.com:5060",
    names: ["atlanta.example.com"],
    domains: ["atlanta.example.com"],
    receiver: [
      new Authorize({ realm: "atlanta.example.com", credentials: { alice: "alice's secret" } }),
      new Registrar(),
      new Proxy(),
    ],
  };
}

interface Proxy2Options {
  /** Whether callers from elsewhere must prove who they are, too. */
  readonly challenges?: boolean;
  readonly recordRoute?: boolean;
}

/** Proxy 2, where Bob registers, and whom everybody may call unless it `challenges` them. */
export function proxy2({ challenges = false, recordRoute = true }: Proxy2Options = {}): ServerRole {
  return {
    address: "192.0.2.222",
    sentBy: "ss2.biloxi.example.com:5060",
    names: ["biloxi.example.com"],
    domains: ["biloxi.example.com"],
    receiver: [
      new Authorize({
        realm: "biloxi.example.com",
        credentials: { bob: "bob's secret", alice: "alice's other secret" },
        allowCallsToUs: !challenges,
        // Alice is its user, too, though she calls as alice@atlanta.example.com.
        filter: { "*": [] },
      }),
      new Registrar(),
      new Proxy({ recordRoute }),
    ],
  };
}

/** Proxy 3, of the place where Bob is. */
export function proxy3(): ServerRole {
  const realm = "chicago.example.com";
  return {
    address: "192.0.2.233",
    sentBy: "ss3.chicago.example.com:5060",
    names: [realm],
    domains: [realm],
    receiver: [
      new Authorize({ realm, credentials: { bob: "bob's secret" }, allowCallsToUs: true }),
      new Registrar(),
      new Proxy(),
    ],
  };
}

/** In Proxy 2's place, a server that tells callers where Bob is. RFC 3665 §3.6 */
export function redirectServer(): ServerRole {
  const realm = "biloxi.example.com";
  return {
    address: "192.0.2.222",
    sentBy: "ss2.biloxi.example.com:5060",
    names: [realm],
    domains: [realm],
    receiver: [
      new Authorize({ realm, credentials: { bob: "bob's secret" }, allowCallsToUs: true }),
      new Registrar(),
      new Redirect(),
    ],
  };
}

/** What the gateway writes instead of what Alice's and Bob's phones say of their media. */
const media: readonly (readonly [theirs: string, own: string])[] = [
  [
    "c=IN IP4 192.0.2.101\r\nt=0 0\r\nm=audio 49172",
    "c=IN IP4 192.0.2.128\r\nt=0 0\r\nm=audio 2000",
  ],
  [
    "c=IN IP4 192.0.2.201\r\nt=0 0\r\nm=audio 3456",
    "c=IN IP4 192.0.2.128\r\nt=0 0\r\nm=audio 1734",
  ],
];

/** Believes everybody: stands for whatever else a network knows its own by. */
export const trust: AnyHandler = (packet) => {
  if (!packet.isRequest) return;
  packet.set(identity, { user: "", realm: "", addressOfRecord: "", scheme: "its network" });
};

/** A proxy at the edge of Alice's network, which has the media come through itself. RFC 3665 §3.5 */
export function gateway(): ServerRole {
  const bridge: AnyHandler = {
    name: "bridge",
    receive: () => undefined,
    beforeSend: (packet) => {
      const text = Buffer.from(packet.body).toString("latin1");
      const found = media.find(([theirs]) => text.includes(theirs));
      if (found !== undefined) packet.body = Buffer.from(text.replace(...found), "latin1");
    },
  };
  return {
    address: "192.0.2.128",
    sentBy: "alg1.atlanta.example.com:5060",
    domains: [],
    receiver: [trust, bridge, new Proxy()],
  };
}

/** "It is assumed that Bob has registered with Proxy Server Proxy 2." RFC 3665 §3 */
export function bobRegisters(stage: Stage): Promise<void> {
  return stage.register("Bob", "sip:bob@biloxi.example.com", "sip:bob@client.biloxi.example.com");
}
