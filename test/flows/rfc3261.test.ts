import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { trust } from "./cast.ts";
import { describeFlow } from "./describe-flow.ts";
import type { Erratum } from "./errata.ts";
import type { PhoneRole, ServerRole } from "./stage.ts";

const bob: PhoneRole = {
  phone: true,
  address: "192.0.2.4",
  sentBy: "bobspc.biloxi.com:5060",
};

/** A proxy that doesn't stay on the path of calls, and lets its own network call out. */
function server(address: string, host: string, domain: string): ServerRole {
  const registrar = `registrar.${domain}`;
  return {
    ...{ address, sentBy: `${host}:5060`, names: [domain, registrar] },
    ...{ domains: [domain], aliases: [registrar] },
    receiver: [trust, new Registrar({ maxExpires: 7200 }), new Proxy({ recordRoute: false })],
  };
}

const biloxi = (): ServerRole => server("192.0.2.3", "server10.biloxi.com", "biloxi.com");

describeFlow({
  rfc: 3261,
  section: "24.1",
  title: "registration",
  over: "udp",
  figure: `
    F1 Bob -> Registrar: REGISTER
    F2 Registrar -> Bob: 200`,
  cast: () => ({
    Bob: bob,
    Registrar: biloxi(),
  }),
  errata: {
    // §10.3 step 8: each Contact of the answer says when it expires. An Expires beside them says no more.
    F2: [
      ["<sip:bob@192.0.2.4>", "<sip:bob@192.0.2.4>;expires=7200"],
      ["Expires: 7200\r\n", ""],
    ],
  },
});

/** Bob's phone goes by its name here: on sockets all have one address. */
const uri: Erratum = ["sip:bob@192.0.2.4", "sip:bob@bobspc.biloxi.com"];
const via: Erratum = ["UDP 192.0.2.4", "UDP bobspc.biloxi.com"];

/** "Alice's SDP not shown", nor Bob's: some of that length. */
function body(length: number): Erratum {
  const printed = `Content-Length: ${length}\r\n\r\n`;
  return [printed, printed + "v=0\r\ns=".padEnd(length - 2, "-").concat("\r\n")];
}

describeFlow({
  rfc: 3261,
  section: "24.2",
  title: "session setup",
  over: "udp",
  figure: `
    F1 Alice -> Atlanta: INVITE
    F2 Atlanta -> Alice: 100
    F3 Atlanta -> Biloxi: INVITE
    F4 Biloxi -> Atlanta: 100
    F5 Biloxi -> Bob: INVITE
    F6 Bob -> Biloxi: 180
    F7 Biloxi -> Atlanta: 180
    F8 Atlanta -> Alice: 180
    F9 Bob -> Biloxi: 200
    F10 Biloxi -> Atlanta: 200
    F11 Atlanta -> Alice: 200
    F12 Alice -> Bob: ACK
    F13 Bob -> Alice: BYE
    F14 Alice -> Bob: 200`,
  cast: () => ({
    Alice: {
      phone: true,
      address: "192.0.2.1",
      sentBy: "pc33.atlanta.com:5060",
      proxies: { "biloxi.com": "sip:bigbox3.site3.atlanta.com" },
    },
    Bob: bob,
    Atlanta: server("192.0.2.2", "bigbox3.site3.atlanta.com", "atlanta.com"),
    Biloxi: biloxi(),
  }),
  before: (stage) => stage.register("Bob", "sip:bob@biloxi.com", "sip:bob@bobspc.biloxi.com"),
  errata: {
    F1: [body(142)],
    F3: [body(142)],
    F5: [uri, body(142)],
    F6: [uri],
    F7: [uri],
    F8: [uri],
    F9: [uri, body(131)],
    F10: [uri, body(131)],
    F11: [uri, body(131)],
    F12: [uri],
    F13: [via],
    F14: [via, ["branch=z9hG4bKnashds10", "branch=z9hG4bKnashds10;received=192.0.2.4"]],
  },
});
