import { alice, bob, bobRegisters, proxy1, proxy2 } from "./cast.ts";
import { describeFlow } from "./describe-flow.ts";
import { ackWithoutCredentials, ackWithRoute, type Erratum } from "./errata.ts";

/** Alice's ACK has no Contact, so what is forwarded has none. */
const ackWithContact: Erratum = ["Contact: <sip:bob@client.biloxi.example.com>\r\n", ""];

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
