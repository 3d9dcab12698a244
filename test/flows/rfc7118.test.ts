import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { expect } from "vitest";
import { trust } from "./cast.ts";
import { describeFlow } from "./describe-flow.ts";
import type { Erratum } from "./errata.ts";
import type { PhoneRole, ServerRole } from "./stage.ts";

/** A browser: nobody reaches it but over its own connection. */
const alice: PhoneRole = {
  phone: true,
  address: "203.0.113.10",
  sentBy: "df7jal23ls0d.invalid:5060",
  legs: [["wss", "df7jal23ls0d.invalid:5060"]],
};

const bob: PhoneRole = {
  phone: true,
  address: "203.0.113.22",
  sentBy: "203.0.113.22:5060",
  legs: [["udp", "203.0.113.22:5060"]],
};

function proxy(): ServerRole {
  return {
    address: "192.0.2.10",
    sentBy: "proxy.example.com:5060",
    names: ["example.com"],
    legs: [
      ["udp", "proxy.example.com:5060"],
      ["wss", "proxy.example.com:443"],
    ],
    domains: ["example.com"],
    receiver: [trust, new Registrar({ maxExpires: 3600 }), new Proxy()],
  };
}

/** The RFC leaves `received` out of Vias whose sent-by is a name: RFC 3261 §18.2.1 has it there. */
const common = { rfc: 7118, except: { all: ["received"] } };

describeFlow({
  ...common,
  section: "8.1",
  title: "registration over WebSocket",
  figure: `
    F3 Alice -> Proxy: REGISTER
    F4 Proxy -> Alice: 200`,
  cast: () => ({ Alice: alice, Proxy: proxy() }),
  // What a registrar grants of outbound and GRUUs, and how it says so, is RFC 5626's and RFC 5627's.
  except: { ...common.except, F4: ["supported", "require", "contact"] },
  afterwards: (stage) => {
    const [contact = ""] = stage.sent("F4").headers.getAll("contact");
    expect(contact).toContain("<sip:alice@df7jal23ls0d.invalid;transport=ws>");
    expect(contact).toContain(";expires=3600");
  },
});

/** A line that was too long for the page: there is no folding within a URI. */
const wrapped = (indent: string): Erratum => [`example.com\r\n${indent};gr`, "example.com;gr"];

describeFlow({
  ...common,
  section: "8.2",
  title: "INVITE dialog through a proxy, from WebSocket to UDP",
  figure: `
    F1 Alice -> Proxy: INVITE
    F2 Proxy -> Alice: 100
    F3 Proxy -> Bob: INVITE
    F4 Bob -> Proxy: 200
    F5 Proxy -> Alice: 200
    F6 Alice -> Proxy: ACK
    F7 Proxy -> Bob: ACK
    F8 Bob -> Proxy: BYE
    F9 Proxy -> Alice: BYE
    F10 Alice -> Proxy: 200
    F11 Proxy -> Bob: 200`,
  cast: () => ({ Alice: alice, Bob: bob, Proxy: proxy() }),
  before: (stage) => stage.register("Bob", "sip:bob@example.com", "sip:bob@203.0.113.22:5060"),
  errata: {
    F1: [wrapped(" ")],
    F3: [wrapped("  ")],
    F6: [["transport=udp;lr>,\r\n", "transport=udp;lr>\r\n"]],
  },
});
