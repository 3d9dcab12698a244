import { Authorize } from "@sipkit/auth";
import { Proxy } from "@sipkit/proxy";
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

/** "It is assumed that Bob has registered with Proxy Server Proxy 2." RFC 3665 §3 */
export function bobRegisters(stage: Stage): Promise<void> {
  return stage.register("Bob", "sip:bob@biloxi.example.com", "sip:bob@client.biloxi.example.com");
}
