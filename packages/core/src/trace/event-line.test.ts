import { describe, expect, it } from "vitest";
import type { Peer } from "../arrival.ts";
import { ParseError, TransactionTimeout } from "../errors.ts";
import { Request } from "../message/request.ts";
import { completeRequest } from "../testing/complete.ts";
import { RecordingLeg } from "../testing/recording-leg.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import {
  connectionLine,
  malformedLine,
  packetLine,
  stepLine,
  transactionLine,
} from "./event-line.ts";

const peer: Peer = { protocol: "udp", address: "192.0.2.7", port: 5060 };
const about = { at: 0, node: "a", leg: new RecordingLeg("udp", new VirtualClock()), peer };

function request(text: string): Request {
  return Request.parse(completeRequest(text));
}

describe("packetLine", () => {
  it("says direction, peer, what it is, CSeq, Call-ID and size", () => {
    const packet = request(
      "REGISTER sip:example.com SIP/2.0\nCall-ID: 3848276298@192.0.2.7\nCSeq: 7 REGISTER",
    );
    const event = { ...about, direction: "in", packet, retransmission: false, size: 343 } as const;
    expect(packetLine(event)).toMatch(
      /^<- udp 192\.0\.2\.7:5060 +REGISTER sip:example\.com +7 REGISTER +3848276298@19… +343 B$/,
    );
    const answer = { ...event, direction: "out", packet: packet.createResponse(200) } as const;
    expect(packetLine({ ...answer, retransmission: true })).toMatch(
      /^-> udp 192\.0\.2\.7:5060 +200 OK +7 REGISTER +3848276298@19… +343 B, again$/,
    );
  });

  it("prints no credentials and no password of a URI", () => {
    const packet = request(
      'REGISTER sip:alice:hunter2@example.com SIP/2.0\nAuthorization: Digest username="alice", response="c0ffee"',
    );
    const text = packetLine({ ...about, direction: "in", packet, retransmission: false, size: 1 });
    expect(text).toContain("sip:alice:***@example.com");
    expect(text).not.toMatch(/hunter2|c0ffee|Digest/);
  });

  it("keeps its columns and the terminal whatever a stranger writes", () => {
    const packet = request(`OPTIONS sip:${"a".repeat(1000)} SIP/2.0\nCall-ID: \u009b31m`);
    const text = packetLine({ ...about, direction: "in", packet, retransmission: false, size: 1 });
    expect(text.length).toBeLessThan(200);
    expect(text).toContain("\\x9b31m");
  });

  it("prints a packet that a handler has left without CSeq and Call-ID", () => {
    const packet = request("OPTIONS sip:example.com SIP/2.0");
    packet.headers.delete("CSeq");
    packet.headers.delete("Call-ID");
    const event = { ...about, direction: "out", packet, retransmission: false, size: 1 } as const;
    expect(packetLine(event)).toContain("OPTIONS sip:example.com");
  });
});

describe("stepLine", () => {
  const packet = request("INVITE sip:bob@example.com SIP/2.0");
  const step = { ...about, packet, handler: "Busy", error: undefined, duration: 0.25 };

  it.each([
    ["a response", { verdict: packet.createResponse(486) }, "486 Busy Here"],
    ["a word", { verdict: "later" as const }, "later"],
    ["nothing", { verdict: undefined }, "passed on"],
    ["what it threw", { verdict: undefined, error: new Error("no\nroom") }, "threw: no\\x0aroom"],
  ])("says %s", (_what, said, text) => {
    const line = stepLine({ ...step, ...said });
    expect(line).toMatch(/^ {3}Busy +/);
    expect(line).toContain(`  ${text}  `);
    expect(line).toMatch(/ 0\.250 ms$/);
  });
});

describe("transactionLine", () => {
  const ended = {
    ...about,
    phase: "ended",
    role: "client",
    method: "INVITE",
    branch: "z9hG4bK1",
    callId: "c",
    duration: 12.5,
  } as const;

  it("says what came of it, and when", () => {
    expect(transactionLine({ ...ended, outcome: "answered", status: 486 })).toMatch(
      /^-> udp 192\.0\.2\.7:5060 +INVITE answered: 486 +c +12\.500 ms$/,
    );
    const error = new TransactionTimeout("no response came");
    expect(transactionLine({ ...ended, role: "server", outcome: "timeout", error })).toMatch(
      /^<- .* INVITE timeout: no response came/,
    );
  });
});

describe("connectionLine", () => {
  it("says what happened, and why", () => {
    const tcp: Peer = { protocol: "tcp", address: "2001:db8::1", port: 5060 };
    const event = { at: 0, node: "a", peer: tcp, id: 3, why: "idle" };
    expect(connectionLine({ ...event, what: "closed" })).toMatch(
      /^ {3}tcp \[2001:db8::1\]:5060 +closed #3: idle$/,
    );
    expect(connectionLine({ ...event, what: "accepted", why: undefined })).toMatch(/accepted #3$/);
  });
});

describe("malformedLine", () => {
  it("says what is wrong, and nothing of the bytes", () => {
    const error = new ParseError("Missing CSeq");
    const text = malformedLine({ ...about, error, bytes: Buffer.from("secret") });
    expect(text).toMatch(/^<- udp 192\.0\.2\.7:5060 +400: Missing CSeq +6 B$/);
  });
});
