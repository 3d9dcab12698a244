import { SeededRandom } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { QualifyPace } from "./qualify-pace.ts";

function pace(jitter = 0): QualifyPace {
  const random = new SeededRandom(3);
  return new QualifyPace({ interval: 30_000, jitter, chance: () => random.number() }, 0);
}

/** The times at which turns came within as many milliseconds. */
function turnsOf(paced: QualifyPace, usersAt: (now: number) => number, until: number): number[] {
  const turns: number[] = [];
  for (let now = 0; ; ) {
    now += paced.delay(usersAt(now), now);
    if (now > until) return turns;
    for (let left = paced.take(now, usersAt(now)); left > 0; left -= 1) turns.push(now);
  }
}

describe("QualifyPace", () => {
  it.each([1, 3, 700, 100_000])("gives each of %i users one turn an interval", (users) => {
    const turns = turnsOf(pace(), () => users, 30_000);
    expect(turns.length).toBeGreaterThanOrEqual(users * 0.97);
    expect(turns.length).toBeLessThanOrEqual(users);
  });

  it("gives more turns by chance, never fewer", () => {
    const turns = turnsOf(pace(0.5), () => 100, 300_000);
    // A turn takes three quarters of its time on average.
    expect(turns.length).toBeGreaterThan(1250);
    expect(turns.length).toBeLessThan(1420);
  });

  it("has no turn where nobody is, and the first within an interval of the first user", () => {
    const turns = turnsOf(pace(), (now) => (now < 500_000 ? 0 : 1), 600_000);
    expect(turns[0]).toBeGreaterThan(500_000);
    expect(turns[0]).toBeLessThanOrEqual(531_000);
  });

  it("gives no more than 100 turns a step, and makes up for a second's at most", () => {
    const paced = pace();
    const turns: number[] = [];
    for (let step = 0; step < 60; step += 1) turns.push(paced.take(900_000, 10_000_000));
    expect(turns.slice(0, 51)).toEqual(new Array(51).fill(100));
    expect(turns.slice(51)).toEqual(new Array(9).fill(0));
    paced.take(910_000, 10_000_000);
    paced.rest(50_000);
    expect(paced.take(50_000, 1_000_000)).toBe(0);
  });
});
