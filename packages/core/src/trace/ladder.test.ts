import { describe, expect, it } from "vitest";
import { Request } from "../message/request.ts";
import { completeRequest } from "../testing/complete.ts";
import { RecordingLeg } from "../testing/recording-leg.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { formatLadder, Ladder, type LadderMessage, ladderMessage, ladderText } from "./ladder.ts";

const ALICE = "192.0.2.1:5060";
const SERVER = "192.0.2.2:5060";
const BOB = "192.0.2.3:5060";
const names: ReadonlyMap<string, string> = new Map([
  [ALICE, "alice"],
  [SERVER, "server"],
  [BOB, "bob"],
]);

const call: readonly LadderMessage[] = [
  { at: 1000, from: ALICE, to: SERVER, text: "INVITE (1)" },
  { at: 1012, from: SERVER, to: BOB, text: "INVITE (1)" },
  { at: 1512, from: SERVER, to: BOB, text: "INVITE (1) again", lost: true },
  { at: 2500, from: BOB, to: ALICE, text: "200 OK (1 INVITE)" },
];

describe("formatLadder", () => {
  it("draws who sent what to whom, and when", () => {
    expect(formatLadder(call, { names, width: 24 })).toEqual([
      "                    alice                  server                    bob",
      "               192.0.2.1:5060          192.0.2.2:5060          192.0.2.3:5060",
      "    0.000             │───── INVITE (1) ─────▶│                       │",
      "    0.012             │                       │───── INVITE (1) ─────▶│",
      "    0.512             │                       │── INVITE (1) again ──✗│",
      "    1.500             │◀───────────── 200 OK (1 INVITE) ──────────────│",
    ]);
  });

  it("draws in ASCII alone, whatever the texts hold", () => {
    const lines = formatLadder([...call, { at: 2500, from: BOB, to: BOB, text: "é 東京" }], {
      names: new Map([[ALICE, "Zoë"]]),
      ascii: true,
    });
    expect(lines.join("")).toMatch(/^[ -~]+$/);
    expect(lines).toContain(
      "    1.500             |<------------- 200 OK (1 INVITE) --------------|",
    );
  });

  it("makes the columns as wide as the texts need, within bounds", () => {
    const [head = ""] = formatLadder([{ at: 0, from: "a", to: "b", text: "x".repeat(200) }]);
    expect(head.indexOf("b") - head.indexOf("a")).toBe(44);
  });

  it("gives addresses with one name one column", () => {
    const both = new Map([
      [ALICE, "phones"],
      [BOB, "phones"],
    ]);
    const [head, , first, second] = formatLadder(call.slice(0, 2), { names: both });
    expect(head?.trim().split(/ +/)).toEqual(["phones", SERVER]);
    expect(first).toContain("▶");
    expect(second).toContain("◀");
  });

  it("puts those who come too late into the last column, and names them", () => {
    const crowd = Array.from({ length: 100 }, (_, n) => ({
      at: n,
      from: `192.0.2.${n}:5060`,
      to: SERVER,
      text: "OPTIONS (1)",
    }));
    const lines = formatLadder(crowd, { maxParties: 3 });
    expect(lines[0]?.trim().split(/ +/)).toEqual(["192.0.2.0:5060", SERVER, "others"]);
    expect(lines.at(-1)).toMatch(/◀.*OPTIONS.* {2}192\.0\.2\.99:5060$/);
  });

  it("keeps the terminal whatever strangers write", () => {
    const lines = formatLadder([{ at: 0, from: "a\u001b[2J", to: "b\u009b", text: "\r\n\u202e" }]);
    expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it("says nothing of nothing", () => {
    expect(formatLadder([])).toEqual([]);
  });
});

describe("Ladder", () => {
  it("draws message by message, with a new head for each new party", () => {
    const ladder = new Ladder({ names, width: 24 });
    const lengths = call.map((message) => ladder.add(message).length);
    expect(lengths).toEqual([3, 3, 1, 1]);
  });
});

describe("ladderMessage", () => {
  const packet = Request.parse(
    completeRequest("INVITE sip:bob@example.com SIP/2.0\nCSeq: 7 INVITE"),
  );
  const event = {
    at: 5,
    node: "a",
    leg: new RecordingLeg("udp", new VirtualClock()),
    peer: { protocol: "udp", address: "192.0.2.7", port: 5070 },
    packet,
    size: 1,
  } as const;

  it("goes from the peer to the leg, or back", () => {
    expect(ladderMessage({ ...event, direction: "in", retransmission: false })).toEqual({
      at: 5,
      from: "192.0.2.7:5070",
      to: "192.0.2.1:5060",
      text: "INVITE (7)",
    });
    expect(ladderMessage({ ...event, direction: "out", retransmission: true })).toEqual({
      at: 5,
      from: "192.0.2.1:5060",
      to: "192.0.2.7:5070",
      text: "INVITE (7) again",
    });
  });

  it("says of a response what it answers", () => {
    expect(ladderText(packet.createResponse(180))).toBe("180 Ringing (7 INVITE)");
  });
});
