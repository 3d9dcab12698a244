import { SeededRandom, VirtualClock } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { type Due, DueQueue } from "./due-queue.ts";

interface Item extends Due {
  readonly name: number;
  due: number;
}

const item = (name: number): Item => ({ name, due: 0, slot: -1, place: -1 });

describe("DueQueue", () => {
  it("calls for each item at its time, whatever was set and deleted before", async () => {
    const clock = new VirtualClock();
    const random = new SeededRandom(3);
    const called: string[] = [];
    const queue = new DueQueue<Item>(clock, (each) => {
      called.push(`${each.name} at ${clock.now()}`);
      queue.delete(each);
    });
    const items = Array.from({ length: 200 }, (_, name) => item(name));
    const there = new Set<Item>();
    for (let i = 0; i < 2000; i++) {
      const each = items[random.integer(0, items.length - 1)] as Item;
      if (random.integer(0, 3) === 0) {
        queue.delete(each);
        there.delete(each);
      } else {
        each.due = random.integer(0, 100) * 100;
        queue.set(each, each.due);
        there.add(each);
      }
    }
    const expected = [...there].map(({ name, due }) => `${name} at ${due}`);
    await clock.advance(20_000);
    expect(called.toSorted()).toEqual(expected.toSorted());
    expect(clock.pending).toBe(0);
  });

  it("has one timer, and sleeps an hour at most", async () => {
    const clock = new VirtualClock();
    const delays: number[] = [];
    const called: number[] = [];
    const watched = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      setTimer(delay: number, run: () => void) {
        delays.push(delay);
        return clock.setTimer(delay, run);
      },
    };
    const queue = new DueQueue<Item>(watched, (each) => {
      called.push(clock.now());
      queue.delete(each);
    });
    queue.set(item(1), 3_000_000_000);
    queue.set(item(2), 4_000_000);
    expect([delays, clock.pending]).toEqual([[3_600_000], 1]);
    await clock.advance(4_000_000);
    expect([delays, called]).toEqual([[3_600_000, 400_000, 3_600_000], [4_000_000]]);
    queue.stop();
    expect(clock.pending).toBe(0);
  });

  it("calls for a hundred in one turn of the event loop", async () => {
    const clock = new VirtualClock();
    const turns: number[] = [];
    const watched = {
      now: () => clock.now(),
      wall: () => clock.wall(),
      setTimer: (delay: number, run: () => void) =>
        clock.setTimer(delay, () => {
          turns.push(0);
          run();
        }),
    };
    const queue = new DueQueue<Item>(watched, (each) => {
      queue.delete(each);
      turns.push((turns.pop() ?? 0) + 1);
    });
    for (let i = 0; i < 250; i++) queue.set(item(i), 10);
    await clock.advance(10);
    expect([turns, clock.pending]).toEqual([[100, 100, 50], 0]);
  });

  it("gives an item another time while it is called", async () => {
    const clock = new VirtualClock();
    const called: number[] = [];
    const queue = new DueQueue<Item>(clock, (each) => {
      called.push(clock.now());
      if (called.length < 3) queue.set(each, clock.now() + 10);
      else queue.delete(each);
    });
    queue.set(item(1), 5);
    await clock.advance(100);
    expect([called, clock.pending]).toEqual([[5, 15, 25], 0]);
  });
});
