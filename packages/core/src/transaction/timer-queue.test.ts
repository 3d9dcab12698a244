import { describe, expect, it } from "vitest";
import { VirtualClock } from "../testing/virtual-clock.ts";
import { TimerQueue } from "./timer-queue.ts";

function queueOf(delay: number) {
  const clock = new VirtualClock();
  const fired: string[] = [];
  const queue = new TimerQueue<string, string>(clock, delay, (task, label) => {
    fired.push(`${task}${label}@${clock.now()}`);
  });
  return { clock, fired, queue };
}

describe("TimerQueue", () => {
  it("fires each timer after its delay, behind a single timer of the clock", async () => {
    const { clock, fired, queue } = queueOf(100);
    queue.start("a", "1");
    await clock.advance(30);
    queue.start("b", "2");
    queue.start("c", "3");
    expect(clock.pending).toBe(1);
    expect(queue.size).toBe(3);
    await clock.advance(69);
    expect(fired).toEqual([]);
    await clock.advance(31);
    expect(fired).toEqual(["a1@100", "b2@130", "c3@130"]);
    expect(queue.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it("doesn't fire what was stopped", async () => {
    const { clock, fired, queue } = queueOf(100);
    const a = queue.start("a", "");
    const b = queue.start("b", "");
    queue.start("c", "");
    queue.stop(b);
    queue.stop(a);
    queue.stop(a);
    expect(queue.size).toBe(1);
    await clock.advance(100);
    expect(fired).toEqual(["c@100"]);
    queue.stop(b);
    expect(queue.size).toBe(0);
  });

  it("gives the oldest that still runs", async () => {
    const { clock, queue } = queueOf(100);
    expect(queue.oldest()).toBeUndefined();
    const a = queue.start("a", "");
    const b = queue.start("b", "");
    queue.start("c", "");
    expect(queue.oldest()).toBe("a");
    queue.stop(b);
    expect(queue.oldest()).toBe("a");
    queue.stop(a);
    expect(queue.oldest()).toBe("c");
    await clock.advance(100);
    expect(queue.oldest()).toBeUndefined();
  });

  it("keeps order and numbers while the ring grows, wraps and shrinks", async () => {
    const { clock, fired, queue } = queueOf(1000);
    const numbers: number[] = [];
    const expected: string[] = [];
    let count = 0;
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 50; i++) {
        numbers.push(queue.start(`${count}`, ""));
        if (count % 3 !== 0) expected.push(`${count}@${round * 100 + 1000}`);
        count++;
      }
      for (let i = count - 50; i < count; i++) if (i % 3 === 0) queue.stop(numbers[i] as number);
      await clock.advance(100);
    }
    await clock.advance(1000);
    expect(fired).toEqual(expected);
    expect(new Set(numbers).size).toBe(count);
    expect(clock.pending).toBe(0);
  });

  it("lets a task that fires start and stop others", async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const numbers = new Map<string, number>();
    const queue: TimerQueue<string> = new TimerQueue(clock, 10, (task) => {
      fired.push(`${task}@${clock.now()}`);
      if (task === "a") queue.stop(numbers.get("b") as number);
      if (fired.length < 4) queue.start("again", undefined);
    });
    for (const task of ["a", "b", "c"]) numbers.set(task, queue.start(task, undefined));
    await clock.advance(10);
    expect(clock.pending).toBe(1);
    await clock.advance(90);
    expect(fired).toEqual(["a@10", "c@10", "again@20", "again@20", "again@30"]);
    expect(clock.pending).toBe(0);
  });

  it("fires the rest when a task throws", async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const queue = new TimerQueue<string>(clock, 10, (task) => {
      if (task === "bad") throw new Error("bad task");
      fired.push(task);
    });
    for (const task of ["a", "bad", "b"]) queue.start(task, undefined);
    await expect(clock.advance(10)).rejects.toThrow("bad task");
    await clock.advance(0);
    expect(fired).toEqual(["a", "b"]);
  });

  it("stops everything when it is closed, and can be used again", async () => {
    const { clock, fired, queue } = queueOf(10);
    for (let i = 0; i < 200; i++) queue.start("a", "");
    queue.close();
    expect(queue.size).toBe(0);
    expect(queue.oldest()).toBeUndefined();
    expect(clock.pending).toBe(0);
    queue.start("b", "");
    await clock.advance(10);
    expect(fired).toEqual(["b@10"]);
  });
});
