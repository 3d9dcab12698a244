import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RecordingLeg } from "../testing/recording-leg.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { AnswerLog } from "./answer-log.ts";
import type { Outlet } from "./outlet.ts";

const LIFETIME = 32_000;

function setUp() {
  const clock = new VirtualClock();
  const leg = new RecordingLeg("udp", clock);
  const log = new AnswerLog(clock, LIFETIME, () => undefined);
  const outlet: Outlet = { leg, peer: { protocol: "udp", address: "192.0.2.7", port: 5061 } };
  /** What a retransmission would be answered with. */
  const answerTo = (key: string): string | undefined => {
    const found = log.find(key);
    if (found === undefined) return undefined;
    found.retransmitted();
    return leg.sent.pop()?.wire;
  };
  return { clock, leg, log, outlet, answerTo };
}

/** Keys that all have one place in the index: "Aa" and "BB" have one hash. */
function meetingKeys(pairs: number): readonly string[] {
  let keys = [""];
  for (let i = 0; i < pairs; i++) keys = keys.flatMap((key) => [`${key}Aa`, `${key}BB`]);
  return keys;
}

describe("AnswerLog", () => {
  it("gives an answer back with its leg and its peer, until Timer J", async () => {
    const { clock, leg, log, outlet } = setUp();
    const other = new RecordingLeg("udp", clock);
    const v6 = { protocol: "udp", address: "2001:db8::7:1", port: 65_535 } as const;
    expect(log.add("k1", outlet, "SIP/2.0 200 OK\r\nSubject: \xe9\xff\x00\r\n\r\n")).toBe(true);
    expect(log.add("k2", { leg: other, peer: v6 }, "second")).toBe(true);
    expect(log.size).toBe(2);
    log.find("k1")?.retransmitted();
    log.find("k2")?.retransmitted();
    expect(leg.sent).toEqual([
      { at: 0, wire: "SIP/2.0 200 OK\r\nSubject: \xe9\xff\x00\r\n\r\n", to: outlet.peer },
    ]);
    expect(other.sent).toEqual([{ at: 0, wire: "second", to: v6 }]);
    expect(log.find("k3")).toBeUndefined();
    expect(log.find("k")).toBeUndefined();
    await clock.advance(LIFETIME - 1);
    expect(log.size).toBe(2);
    await clock.advance(1);
    expect(log.size).toBe(0);
    expect(log.bytes).toBe(0);
    expect(log.find("k1")).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it("lets each go at its own time, behind one timer", async () => {
    const { clock, log, outlet } = setUp();
    for (let i = 0; i < 10; i++) {
      log.add(`${i}`, outlet, "x");
      await clock.advance(100);
    }
    expect(clock.pending).toBe(1);
    await clock.advance(LIFETIME - 1000 - 1);
    for (let i = 0; i < 10; i++) {
      expect(log.size).toBe(10 - i);
      expect(log.find(`${i}`)).toBeDefined();
      await clock.advance(1);
      expect(log.size).toBe(9 - i);
      expect(log.find(`${i}`)).toBeUndefined();
      await clock.advance(99);
    }
    expect(clock.pending).toBe(0);
  });

  it("keeps times right when their 32 bits run over", async () => {
    const { clock, log, outlet } = setUp();
    for (const at of [2 ** 31, 2 ** 32]) {
      await clock.advance(at - LIFETIME - 1 - clock.now());
      log.add("before", outlet, "x");
      await clock.advance(2);
      log.add("after", outlet, "x");
      await clock.advance(LIFETIME - 3);
      expect(log.size).toBe(2);
      await clock.advance(1);
      expect(log.size).toBe(1);
      await clock.advance(1);
      expect(log.size).toBe(1);
      await clock.advance(1);
      expect(log.size).toBe(0);
    }
  });

  it("sends nothing for an empty answer", () => {
    const { leg, log, outlet } = setUp();
    log.add("silent", outlet, "");
    log.find("silent")?.retransmitted();
    expect(log.find("silent")).toBeDefined();
    expect(leg.sent).toEqual([]);
  });

  it("keeps the first of two answers under one key", () => {
    const { log, outlet, answerTo } = setUp();
    expect(log.add("k", outlet, "first")).toBe(true);
    expect(log.add("k", outlet, "second")).toBe(false);
    expect(answerTo("k")).toBe("first");
    expect(log.size).toBe(1);
    log.dropOldest();
    expect(log.bytes).toBe(0);
  });

  it("keeps an answer of the longest datagram, and none that is longer than a segment", () => {
    const { log, outlet, answerTo } = setUp();
    const longest = "l".repeat(65_507);
    for (let i = 0; i < 12; i++) expect(log.add(`${i}`, outlet, longest)).toBe(true);
    expect(answerTo("11")).toBe(longest);
    const before = log.bytes;
    expect(log.add("longer", outlet, "l".repeat(262_144))).toBe(false);
    expect(log.find("longer")).toBeUndefined();
    expect(log.bytes).toBe(before);
    for (let i = 0; i < 12; i++) log.dropOldest();
    log.dropOldest();
    expect(log.size).toBe(0);
    expect(log.bytes).toBe(0);
  });

  it("doesn't slow down for keys that were chosen to meet: those beyond a bound aren't kept", () => {
    const { log, outlet, answerTo } = setUp();
    const keys = meetingKeys(8);
    const kept = keys.filter((key) => log.add(key, outlet, key));
    expect(kept).toHaveLength(64);
    for (const key of keys) expect(answerTo(key)).toBe(kept.includes(key) ? key : undefined);
    expect(log.add("another", outlet, "x")).toBe(true);
    // What is gone makes place again.
    for (let i = 0; i < 10; i++) log.dropOldest();
    for (const key of kept.slice(10)) expect(answerTo(key)).toBe(key);
    expect(keys.filter((key) => log.add(key, outlet, key))).toHaveLength(10);
  });

  it("says what an answer takes before it takes it", () => {
    const { log, outlet } = setUp();
    const bytes = AnswerLog.bytesOf("key", outlet, "wire string");
    log.add("key", outlet, "wire string");
    expect(log.bytes).toBe(bytes);
    expect(bytes).toBeGreaterThan("key192.0.2.7wire string".length);
  });

  it("can be used again after it was closed", async () => {
    const { clock, log, outlet, answerTo } = setUp();
    for (let i = 0; i < 2000; i++) log.add(`${i}`, outlet, "x".repeat(500));
    log.close();
    expect([log.size, log.bytes, clock.pending]).toEqual([0, 0, 0]);
    expect(log.find("1")).toBeUndefined();
    log.add("1", outlet, "again");
    expect(answerTo("1")).toBe("again");
    await clock.advance(LIFETIME);
    expect(log.size).toBe(0);
  });

  it("holds what a plain list of answers would, whatever is added and dropped", () => {
    const key = fc.oneof(
      fc.integer({ min: 0, max: 300 }).map((n) => `z9hG4bK-${n}|192.0.2.7|REGISTER`),
      fc.constantFrom(...meetingKeys(3)),
      fc.string({ maxLength: 5 }),
    );
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ key, length: fc.integer({ min: 0, max: 9000 }) }) },
      { weight: 3, arbitrary: fc.constant("drop") },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
        const { log, outlet, answerTo } = setUp();
        const model: { key: string; wire: string; bytes: number }[] = [];
        for (const [i, each] of steps.entries()) {
          if (typeof each === "string") {
            log.dropOldest();
            model.shift();
          } else {
            const wire = `${i}`.padEnd(each.length, "w");
            const isNew = model.every((other) => other.key !== each.key);
            expect(log.add(each.key, outlet, wire)).toBe(isNew);
            const bytes = AnswerLog.bytesOf(each.key, outlet, wire);
            if (isNew) model.push({ key: each.key, wire, bytes });
          }
          expect(log.size).toBe(model.length);
        }
        expect(log.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0));
        for (const each of model) expect(answerTo(each.key)).toBe(each.wire);
        for (let n = 0; n < 301; n++) {
          const name = `z9hG4bK-${n}|192.0.2.7|REGISTER`;
          expect(answerTo(name)).toBe(model.find((each) => each.key === name)?.wire);
        }
      }),
      { numRuns: 60, seed: 20_26 },
    );
  });

  it("grows by the ten thousand and shrinks again", () => {
    const { log, outlet, answerTo } = setUp();
    for (let i = 0; i < 20_000; i++) {
      expect(log.add(`z9hG4bK-${i}|192.0.2.7|REGISTER`, outlet, `answer ${i}`)).toBe(true);
      if (i % 3 === 2) log.dropOldest();
    }
    const dropped = Math.floor(20_000 / 3);
    expect(log.size).toBe(20_000 - dropped);
    for (let i = 0; i < 20_000; i += 7) {
      const expected = i < dropped ? undefined : `answer ${i}`;
      expect(answerTo(`z9hG4bK-${i}|192.0.2.7|REGISTER`)).toBe(expected);
    }
    while (log.size > 0) log.dropOldest();
    expect(log.bytes).toBe(0);
    log.add("k", outlet, "last");
    expect(answerTo("k")).toBe("last");
  });
});
