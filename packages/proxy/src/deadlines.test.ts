import { VirtualClock } from "@sipkit/core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deadlines, Expiring } from "./deadlines.ts";

class Item extends Expiring {
  readonly name: string;

  constructor(name: string) {
    super();
    this.name = name;
  }
}

function queue(
  clock: VirtualClock,
  delay = 100,
): { deadlines: Deadlines<Item>; expired: string[] } {
  const expired: string[] = [];
  const deadlines = new Deadlines<Item>(clock, delay, ({ name }) =>
    expired.push(`${name}@${clock.now()}`),
  );
  return { deadlines, expired };
}

describe("Deadlines", () => {
  it("expire in the order in which they were last set", async () => {
    const clock = new VirtualClock();
    const { deadlines, expired } = queue(clock);
    const [a, b, c] = [new Item("a"), new Item("b"), new Item("c")];
    deadlines.set(a);
    await clock.advance(10);
    deadlines.set(b);
    await clock.advance(10);
    deadlines.set(c);
    deadlines.set(a);
    deadlines.delete(c);
    deadlines.delete(c);
    await clock.advance(1000);
    expect(expired).toEqual(["b@110", "a@120"]);
    expect(clock.pending).toBe(0);
  });

  it("keep one timer of the clock, and none after they were closed", async () => {
    const clock = new VirtualClock();
    const { deadlines, expired } = queue(clock);
    for (let index = 0; index < 100; index += 1) deadlines.set(new Item(String(index)));
    expect(clock.pending).toBe(1);
    deadlines.close();
    expect(clock.pending).toBe(0);
    await clock.advance(1000);
    expect(expired).toEqual([]);
  });

  it("can be set while others expire", async () => {
    const clock = new VirtualClock();
    const again: number[] = [];
    const deadlines = new Deadlines<Item>(clock, 100, (item) => {
      again.push(clock.now());
      if (again.length < 3) deadlines.set(item);
    });
    deadlines.set(new Item("a"));
    await clock.advance(50);
    deadlines.set(new Item("b"));
    await clock.advance(1000);
    expect(again).toEqual([100, 150, 200, 250]);
  });

  it("behave as a table of deadlines does, whatever is set and deleted", async () => {
    const step = fc.record({
      item: fc.nat(5),
      action: fc.constantFrom("set", "delete", "wait"),
      ms: fc.integer({ min: 1, max: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = new VirtualClock();
        const { deadlines, expired } = queue(clock);
        const items = Array.from({ length: 6 }, (_, index) => new Item(String(index)));
        const due = new Map<number, number>();
        const expected: string[] = [];
        const wait = async (ms: number): Promise<void> => {
          for (const [index, at] of [...due]) {
            if (at > clock.now() + ms) continue;
            expected.push(`${index}@${at}`);
            due.delete(index);
          }
          await clock.advance(ms);
        };
        for (const { item, action, ms } of steps) {
          if (action === "wait") await wait(ms);
          else {
            due.delete(item);
            if (action === "set") due.set(item, clock.now() + 100);
            deadlines[action](items[item] as Item);
          }
        }
        await wait(200);
        expect(expired).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });
});
