import { alice, bob, bobRegisters, proxy1, proxy2 } from "./cast.ts";
import { describeFlow } from "./describe-flow.ts";
import { ackWithoutCredentials, ackWithRoute, cancelAnswered, type Erratum } from "./errata.ts";
import type { Stage } from "./stage.ts";

const common = {
  rfc: 3665,
  cast: () => ({ Alice: alice, Bob: bob, "Proxy 1": proxy1(), "Proxy 2": proxy2() }),
  before: bobIsRegisteredAndAliceKnown,
} as const;

/** RFC 3261 §7.2: one space after the version. */
const statusLine: Erratum = ["SIP/2.0  486", "SIP/2.0 486"];

/** RFC 3261 §16.8: a branch that times out counts as a 408. */
const timedOut: Erratum = ["480 No Response", "408 Request Timeout"];

/** Alice's INVITE has credentials already: Proxy 1 has challenged her before. */
async function bobIsRegisteredAndAliceKnown(stage: Stage): Promise<void> {
  await bobRegisters(stage);
  await stage.prime("Alice", "F1");
}

describeFlow({
  ...common,
  section: "3.8",
  title: "no answer",
  over: "udp",
  figure: `
    F1 Alice -> Proxy 1: INVITE
    F2 Proxy 1 -> Proxy 2: INVITE
    F3 Proxy 1 -> Alice: 100
    F4 Proxy 2 -> Bob: INVITE
    F5 Proxy 2 -> Proxy 1: 100
    F6 Bob -> Proxy 2: 180
    F7 Proxy 2 -> Proxy 1: 180
    F8 Proxy 1 -> Alice: 180
    F9 Alice -> Proxy 1: CANCEL
    F10 Proxy 1 -> Alice: 200
    F11 Proxy 1 -> Proxy 2: CANCEL
    F12 Proxy 2 -> Proxy 1: 200
    F13 Proxy 2 -> Bob: CANCEL
    F14 Bob -> Proxy 2: 200
    F15 Bob -> Proxy 2: 487
    F16 Proxy 2 -> Bob: ACK
    F17 Proxy 2 -> Proxy 1: 487
    F18 Proxy 1 -> Proxy 2: ACK
    F19 Proxy 1 -> Alice: 487
    F20 Alice -> Proxy 1: ACK`,
  errata: {
    F10: [cancelAnswered],
    // RFC 3261 §9.1: a CANCEL has the request-URI of its request.
    F11: [["CANCEL sip:alice@atlanta.example.com", "CANCEL sip:bob@biloxi.example.com"]],
    F12: [cancelAnswered],
    F14: [cancelAnswered],
    // It is Proxy 1's.
    F18: [["ss2.biloxi.example.com", "ss1.atlanta.example.com"]],
    F19: [["CSeq: 1 INVITE\r\n", "CSeq: 1 INVITE\r\nContent-Length: 0\r\n"]],
    F20: [ackWithRoute],
  },
  except: { F20: ackWithoutCredentials },
});

describeFlow({
  ...common,
  section: "3.9",
  title: "busy",
  over: "tcp",
  figure: `
    F1 Alice -> Proxy 1: INVITE
    F2 Proxy 1 -> Proxy 2: INVITE
    F3 Proxy 1 -> Alice: 100
    F4 Proxy 2 -> Bob: INVITE
    F5 Proxy 2 -> Proxy 1: 100
    F6 Bob -> Proxy 2: 486
    F7 Proxy 2 -> Bob: ACK
    F8 Proxy 2 -> Proxy 1: 486
    F9 Proxy 1 -> Proxy 2: ACK
    F10 Proxy 1 -> Alice: 486
    F11 Alice -> Proxy 1: ACK`,
  errata: { F6: [statusLine], F8: [statusLine], F10: [statusLine], F11: [ackWithRoute] },
  except: { F11: ackWithoutCredentials },
});

describeFlow({
  ...common,
  section: "3.10",
  title: "no response from user agent",
  over: "udp",
  // Proxy 2 gives up after 32 s.
  isLong: true,
  figure: `
    F1 Alice -> Proxy 1: INVITE
    F2 Proxy 1 -> Proxy 2: INVITE
    F3 Proxy 1 -> Alice: 100
    F4 Proxy 2 -> Bob: INVITE
    F5 Proxy 2 -> Proxy 1: 100
    F6 Proxy 2 -> Bob: INVITE
    F7 Proxy 2 -> Bob: INVITE
    F8 Proxy 2 -> Bob: INVITE
    F9 Proxy 2 -> Bob: INVITE
    F10 Proxy 2 -> Bob: INVITE
    F11 Proxy 2 -> Bob: INVITE
    F12 Proxy 2 -> Proxy 1: 408
    F13 Proxy 1 -> Proxy 2: ACK
    F14 Proxy 1 -> Alice: 408
    F15 Alice -> Proxy 1: ACK`,
  cast: () => ({ ...common.cast(), Bob: { ...bob, isSilent: true } }),
  errata: { F12: [timedOut], F14: [timedOut], F15: [ackWithRoute] },
  except: { F15: ackWithoutCredentials },
});

describeFlow({
  ...common,
  section: "3.11",
  title: "temporarily unavailable",
  over: "udp",
  figure: `
    F1 Alice -> Proxy 1: INVITE
    F2 Proxy 1 -> Proxy 2: INVITE
    F3 Proxy 1 -> Alice: 100
    F4 Proxy 2 -> Bob: INVITE
    F5 Proxy 2 -> Proxy 1: 100
    F6 Bob -> Proxy 2: 180
    F7 Proxy 2 -> Proxy 1: 180
    F8 Proxy 1 -> Alice: 180
    F9 Bob -> Proxy 2: 480
    F10 Proxy 2 -> Bob: ACK
    F11 Proxy 2 -> Proxy 1: 480
    F12 Proxy 1 -> Proxy 2: ACK
    F13 Proxy 1 -> Alice: 480
    F14 Alice -> Proxy 1: ACK`,
  errata: { F14: [ackWithRoute] },
  except: { F14: ackWithoutCredentials },
});
