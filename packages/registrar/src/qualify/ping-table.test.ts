import { SeededRandom } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { type PingKey, type PingRecord, PingTable } from "./ping-table.ts";

const RECORD: PingRecord = {
  state: "unknown",
  ping: 0,
  isAsked: false,
  roundTripTime: Number.NaN,
  failures: 0,
  turnsOff: 0,
};

describe("PingTable", () => {
  it("gives every record back as it was, whatever came and went", () => {
    const random = new SeededRandom(11);
    const table = new PingTable();
    const model = new Map<string, PingRecord>();
    for (let step = 0; step < 20_000; step += 1) {
      // Few low halves, so that many keys want the same row.
      const key: PingKey = { high: random.integer(0, 400), low: random.integer(0, 3) * 64 };
      const name = `${key.high} ${key.low}`;
      if (random.chance(0.3)) {
        table.delete(key);
        model.delete(name);
      } else {
        const record: PingRecord = {
          state: random.pick(["unknown", "reachable", "unreachable"]),
          ping: random.integer(0, 0xffff_ffff),
          isAsked: random.chance(0.5),
          roundTripTime: random.chance(0.5) ? Number.NaN : random.integer(0, 32_000),
          failures: random.integer(0, 255),
          turnsOff: random.integer(0, 7),
        };
        table.set(key, record);
        model.set(name, record);
      }
      expect(table.get(key)).toEqual(model.get(name));
    }
    expect(table.size).toBe(model.size);
    for (const [name, record] of model) {
      const [high = 0, low = 0] = name.split(" ").map(Number);
      expect(table.get({ high, low })).toEqual(record);
    }
    const down = [...model.values()].filter(({ state }) => state === "unreachable");
    expect(table.tally("unreachable")).toBe(down.length);
    for (let times = 0; times < 20; times += 1) {
      table.clear();
      expect([table.size, table.get({ high: 1, low: 0 })]).toEqual([0, undefined]);
    }
    table.set({ high: 1, low: 0 }, RECORD);
    expect(table.get({ high: 1, low: 0 })).toEqual(RECORD);
  });

  it("keeps the greatest of times and counts as such", () => {
    const table = new PingTable();
    table.set({ high: 1, low: 1 }, { ...RECORD, roundTripTime: 1e9, failures: 300 });
    const { roundTripTime = 0, failures } = table.get({ high: 1, low: 1 }) ?? {};
    expect([Math.round(roundTripTime), failures]).toEqual([4_294_967, 255]);
  });
});
