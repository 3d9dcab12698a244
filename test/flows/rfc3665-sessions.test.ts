import type { Verdict } from "@sipkit/core";
import { expect } from "vitest";
import {
  alice,
  bob,
  bobInChicago,
  bobRegisters,
  gateway,
  proxy1,
  proxy2,
  proxy3,
  redirectServer,
} from "./cast.ts";
import { describeFlow } from "./describe-flow.ts";
import { ackWithoutCredentials, ackWithRoute, type Erratum } from "./errata.ts";

/** Alice's ACK has no Contact, so what is forwarded has none. */
const ackWithContact: Erratum = ["Contact: <sip:bob@client.biloxi.example.com>\r\n", ""];

describeFlow({
  rfc: 3665,
  section: "3.1",
  title: "between two phones",
  over: "tcp",
  figure: `
    F1 Alice -> Bob: INVITE
    F2 Bob -> Alice: 180
    F3 Bob -> Alice: 200
    F4 Alice -> Bob: ACK
    F5 Bob -> Alice: BYE
    F6 Alice -> Bob: 200`,
  cast: () => ({ Alice: alice, Bob: { ...bob, names: ["biloxi.example.com"] } }),
});

describeFlow({
  rfc: 3665,
  section: "3.2",
  title: "through two proxies",
  over: "tcp",
  figure: `
    F1 Alice -> Proxy 1: INVITE
    F2 Proxy 1 -> Alice: 407
    F3 Alice -> Proxy 1: ACK
    F4 Alice -> Proxy 1: INVITE
    F5 Proxy 1 -> Proxy 2: INVITE
    F6 Proxy 1 -> Alice: 100
    F7 Proxy 2 -> Bob: INVITE
    F8 Proxy 2 -> Proxy 1: 100
    F9 Bob -> Proxy 2: 180
    F10 Proxy 2 -> Proxy 1: 180
    F11 Proxy 1 -> Alice: 180
    F12 Bob -> Proxy 2: 200
    F13 Proxy 2 -> Proxy 1: 200
    F14 Proxy 1 -> Alice: 200
    F15 Alice -> Proxy 1: ACK
    F16 Proxy 1 -> Proxy 2: ACK
    F17 Proxy 2 -> Bob: ACK
    F18 Bob -> Proxy 2: BYE
    F19 Proxy 2 -> Proxy 1: BYE
    F20 Proxy 1 -> Alice: BYE
    F21 Alice -> Proxy 1: 200
    F22 Proxy 1 -> Proxy 2: 200
    F23 Proxy 2 -> Bob: 200`,
  cast: () => ({ Alice: alice, Bob: bob, "Proxy 1": proxy1(), "Proxy 2": proxy2() }),
  before: bobRegisters,
  errata: {
    F3: [ackWithRoute],
    F22: [["received=192.0.2.101", "received=192.0.2.201"]],
  },
});

describeFlow({
  rfc: 3665,
  section: "3.3",
  title: "with multiple proxy authentication",
  over: "udp",
  figure: `
    F1 Alice -> Proxy 1: INVITE
    F2 Proxy 1 -> Alice: 407
    F3 Alice -> Proxy 1: ACK
    F4 Alice -> Proxy 1: INVITE
    F5 Proxy 1 -> Alice: (100)
    F6 Proxy 1 -> Proxy 2: INVITE
    F7 Proxy 2 -> Proxy 1: 407
    F8 Proxy 1 -> Proxy 2: ACK
    F9 Proxy 1 -> Alice: 407
    F10 Alice -> Proxy 1: ACK
    F11 Alice -> Proxy 1: INVITE
    F12 Proxy 1 -> Alice: 100
    F13 Proxy 1 -> Proxy 2: INVITE
    F14 Proxy 2 -> Proxy 1: 100
    F15 Proxy 2 -> Bob: INVITE
    F16 Bob -> Proxy 2: 200
    F17 Proxy 2 -> Proxy 1: 200
    F18 Proxy 1 -> Alice: 200
    F19 Alice -> Proxy 1: ACK
    F20 Proxy 1 -> Proxy 2: ACK
    F21 Proxy 2 -> Bob: ACK`,
  cast: () => ({
    Alice: alice,
    Bob: bob,
    "Proxy 1": proxy1(),
    "Proxy 2": proxy2({ challenges: true }),
  }),
  before: bobRegisters,
  errata: {
    F3: [ackWithRoute],
    // It is Proxy 1's.
    F8: [["client.atlanta.example.com", "ss1.atlanta.example.com"]],
    F10: [ackWithRoute],
    // As in F4.
    F11: [ackWithRoute],
    F20: [ackWithContact],
    F21: [ackWithContact],
  },
  except: { F10: ackWithoutCredentials },
});

/** Where Alice has found Proxy 2 herself. */
const afterwards = `
    F9 Proxy 2 -> Alice: 407
    F10 Alice -> Proxy 2: ACK
    F11 Alice -> Proxy 2: INVITE
    F12 Proxy 2 -> Bob: INVITE
    F13 Proxy 2 -> Alice: 100
    F14 Bob -> Proxy 2: 180
    F15 Proxy 2 -> Alice: 180
    F16 Bob -> Proxy 2: 200
    F17 Proxy 2 -> Alice: 200
    F18 Alice -> Proxy 2: ACK
    F19 Proxy 2 -> Bob: ACK
    F20 Bob -> Proxy 2: BYE
    F21 Proxy 2 -> Alice: BYE
    F22 Alice -> Proxy 2: 200
    F23 Proxy 2 -> Bob: 200`;

const proxyFailure = {
  rfc: 3665,
  section: "3.4",
  over: "udp",
  // Alice gives Proxy 1 up after 32 s.
  isLong: true,
  figure: `
    F1 Alice -> Proxy 1: INVITE
    F2 Alice -> Proxy 1: INVITE
    F3 Alice -> Proxy 1: INVITE
    F4 Alice -> Proxy 1: INVITE
    F5 Alice -> Proxy 1: INVITE
    F6 Alice -> Proxy 1: INVITE
    F7 Alice -> Proxy 1: INVITE
    F8 Alice -> Proxy 2: INVITE${afterwards}`,
  before: bobRegisters,
} as const;

/** "It is reachable, but unresponsive." */
const deaf = { receiver: [(): Verdict => "drop"] };

describeFlow({
  ...proxyFailure,
  title: "with proxy failure, and a phone that knows both",
  cast: () => ({
    Alice: alice,
    Bob: bob,
    "Proxy 1": { ...proxy1(), ...deaf },
    "Proxy 2": proxy2({ challenges: true }),
  }),
});

describeFlow({
  ...proxyFailure,
  title: "with proxy failure, and a phone that finds both by one name",
  cast: () => ({
    Alice: alice,
    Bob: bob,
    "Proxy 1": { ...proxy1(), ...deaf, names: ["biloxi.example.com"] },
    "Proxy 2": proxy2({ challenges: true }),
  }),
  // The same INVITE, sent to the next place. RFC 3263 §4.3
  byItself: ["F8"],
  errata: {
    F1: [
      ["Route: <sip:ss1.atlanta.example.com;lr>\r\n", ""],
      ["Call-ID: 2xTb9vxSit55XU7p8@", "Call-ID: 4Fde34wkd11wsGFDs3@"],
    ],
  },
});

describeFlow({
  rfc: 3665,
  section: "3.5",
  title: "through an application layer gateway",
  over: "udp",
  figure: `
    F1 Alice -> SIP ALG: INVITE
    F2 SIP ALG -> Proxy 2: INVITE
    F3 SIP ALG -> Alice: 100
    F4 Proxy 2 -> Bob: INVITE
    F5 Proxy 2 -> SIP ALG: 100
    F6 Bob -> Proxy 2: 180
    F7 Proxy 2 -> SIP ALG: 180
    F8 SIP ALG -> Alice: 180
    F9 Bob -> Proxy 2: 200
    F10 Proxy 2 -> SIP ALG: 200
    F11 SIP ALG -> Alice: 200
    F12 Alice -> SIP ALG: ACK
    F13 SIP ALG -> Bob: ACK
    F14 Alice -> SIP ALG: BYE
    F15 SIP ALG -> Bob: BYE
    F16 Bob -> SIP ALG: 200
    F17 SIP ALG -> Alice: 200`,
  cast: () => ({
    Alice: alice,
    Bob: bob,
    "SIP ALG": gateway(),
    "Proxy 2": proxy2({ challenges: true, recordRoute: false }),
  }),
  before: async (stage) => {
    await bobRegisters(stage);
    await stage.prime("Alice", "F1");
  },
});

describeFlow({
  rfc: 3665,
  section: "3.6",
  title: "via redirect and proxy servers, with SDP in ACK",
  over: "tcp",
  figure: `
    F1 Alice -> Redirect Server: INVITE
    F2 Redirect Server -> Alice: 302
    F3 Alice -> Redirect Server: ACK
    F4 Alice -> Proxy 3: INVITE
    F5 Proxy 3 -> Bob: INVITE
    F6 Proxy 3 -> Alice: 100
    F7 Bob -> Proxy 3: 180
    F8 Proxy 3 -> Alice: 180
    F9 Bob -> Proxy 3: 200
    F10 Proxy 3 -> Alice: 200
    F11 Alice -> Proxy 3: ACK
    F12 Proxy 3 -> Bob: ACK
    F13 Bob -> Proxy 3: BYE
    F14 Proxy 3 -> Alice: BYE
    F15 Alice -> Proxy 3: 200
    F16 Proxy 3 -> Bob: 200`,
  cast: () => ({
    Alice: alice,
    Bob: bobInChicago,
    "Redirect Server": redirectServer(),
    "Proxy 3": proxy3(),
  }),
  before: async (stage) => {
    await stage.register(
      "Bob",
      "sip:bob@biloxi.example.com",
      "sip:bob@chicago.example.com;transport=tcp",
    );
    await stage.register(
      "Bob",
      "sip:bob@chicago.example.com",
      "sip:bob@client.chicago.example.com",
    );
  },
  errata: {
    // What Proxy 3 notes is on Bob's Via, not on its own.
    F14: [
      ["branch=z9hG4bK721e.1\r\n ;received=192.0.2.100", "branch=z9hG4bK721e.1"],
      ["branch=z9hG4bKfgaw2", "branch=z9hG4bKfgaw2\r\n ;received=192.0.2.100"],
    ],
  },
  // Ours says how long it holds, too.
  except: { F2: ["contact"] },
  afterwards: (stage) => {
    const [contact] = stage.sent("F2").headers.getAll("contact");
    expect(contact).toMatch(/^<sip:bob@chicago\.example\.com;transport=tcp>;q=1;expires=\d+$/);
  },
});

describeFlow({
  rfc: 3665,
  section: "3.7",
  title: "with re-INVITE, as an IP address changes",
  over: "udp",
  figure: `
    F1 Alice -> Proxy 2: INVITE
    F2 Proxy 2 -> Bob: INVITE
    F3 Proxy 2 -> Alice: 100
    F4 Bob -> Proxy 2: 180
    F5 Proxy 2 -> Alice: 180
    F6 Bob -> Proxy 2: 200
    F7 Proxy 2 -> Alice: 200
    F8 Alice -> Bob: ACK
    F9 Bob in Chicago -> Alice: INVITE
    F10 Alice -> Bob in Chicago: 200
    F11 Bob in Chicago -> Alice: ACK
    F12 Alice -> Bob in Chicago: BYE
    F13 Bob in Chicago -> Alice: 200`,
  cast: () => ({
    Alice: alice,
    Bob: bob,
    "Bob in Chicago": bobInChicago,
    "Proxy 2": proxy2({ recordRoute: false }),
  }),
  before: bobRegisters,
});
