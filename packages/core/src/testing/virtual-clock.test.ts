import { setImmediate, setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

describe("VirtualClock", () => {
  it("runs timers in order of time, and of equal times in the order in which they were set", async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    const set = (delay: number, name: string) =>
      clock.setTimer(delay, () => ran.push(`${name}@${clock.now()}`));
    for (const [delay, name] of [
      [30, "a"],
      [10, "b"],
      [20, "c"],
      [10, "d"],
      [0, "e"],
      [10, "f"],
      [31, "g"],
    ] as const) {
      set(delay, name);
    }
    await clock.advance(30);
    expect(ran).toEqual(["e@0", "b@10", "d@10", "f@10", "c@20", "a@30"]);
    expect(clock.now()).toBe(30);
    expect(clock.pending).toBe(1);
  });

  it("keeps the order of thousands of timers", async () => {
    const clock = new VirtualClock();
    const ran: number[] = [];
    for (let i = 0; i < 2000; i++) {
      const due = (i * 7919) % 499;
      clock.setTimer(due, () => ran.push(due));
    }
    await clock.advance(499);
    expect(ran).toHaveLength(2000);
    expect(ran).toEqual([...ran].sort((a, b) => a - b));
  });

  it("runs timers that a timer sets within the same stretch", async () => {
    const clock = new VirtualClock();
    const ran: number[] = [];
    const again = (): void => {
      ran.push(clock.now());
      clock.setTimer(10, again);
    };
    clock.setTimer(10, again);
    await clock.advance(35);
    expect(ran).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(35);
  });

  it("doesn't run what was cancelled, and counts it no more", async () => {
    const clock = new VirtualClock();
    let ran = 0;
    const first = clock.setTimer(10, () => ran++);
    clock.setTimer(10, () => ran++);
    expect(clock.pending).toBe(2);
    first.cancel();
    first.cancel();
    expect(clock.pending).toBe(1);
    await clock.advance(10);
    expect(ran).toBe(1);
    first.cancel();
    expect(clock.pending).toBe(0);
  });

  it("moves on only when promises that are under way have settled", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimer(10, () => {
      void (async () => {
        await Promise.resolve();
        await setImmediate();
        seen.push(`work@${clock.now()}`);
      })();
    });
    clock.setTimer(11, () => seen.push(`timer@${clock.now()}`));
    await clock.advance(20);
    expect(seen).toEqual(["work@10", "timer@11"]);
  });

  it("settles what began before it was advanced", async () => {
    const clock = new VirtualClock();
    let at = -1;
    void Promise.resolve()
      .then(() => setImmediate())
      .then(() => clock.setTimer(5, () => (at = clock.now())));
    await clock.advance(10);
    expect(at).toBe(5);
  });

  it("runs overlapping calls one after another", async () => {
    const clock = new VirtualClock();
    await Promise.all([clock.advance(10), clock.advance(5)]);
    expect(clock.now()).toBe(15);
  });

  it("passes on what a timer throws, and can go on", async () => {
    const clock = new VirtualClock();
    clock.setTimer(1, () => {
      throw new Error("broken");
    });
    let ran = false;
    clock.setTimer(2, () => {
      ran = true;
    });
    await expect(clock.advance(5)).rejects.toThrow("broken");
    await clock.advance(5);
    expect(ran).toBe(true);
  });

  it("steps the wall clock without touching timers", async () => {
    const clock = new VirtualClock({ wall: 1_000_000 });
    let ran = 0;
    clock.setTimer(100, () => ran++);
    clock.stepWall(3_600_000);
    expect(clock.wall()).toBe(4_600_000);
    expect(clock.now()).toBe(0);
    await clock.advance(99);
    expect(ran).toBe(0);
    clock.stepWall(-7_200_000);
    await clock.advance(1);
    expect(ran).toBe(1);
    expect(clock.wall()).toBe(1_000_000 - 3_600_000 + 100);
  });

  it("tells of a timer that sets itself again without a delay, instead of hanging", async () => {
    const clock = new VirtualClock();
    const again = (): void => {
      clock.setTimer(0, again);
    };
    clock.setTimer(5, again);
    await expect(clock.advance(10)).rejects.toThrow("time stands still at 5 ms");
  });

  it("takes many timers at one instant for what they are", async () => {
    const clock = new VirtualClock();
    let ran = 0;
    for (let i = 0; i < 12_000; i++) clock.setTimer(5, () => clock.setTimer(0, () => ran++));
    await clock.advance(5);
    expect(ran).toBe(12_000);
  });

  it("waits for what is held, whatever becomes of it", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    clock.setTimer(10, () => {
      const work = wait(10).then(() => seen.push(`work@${clock.now()}`));
      void clock.hold(work);
      clock.hold(Promise.reject(new Error("broken"))).catch(() => seen.push("broken"));
    });
    clock.setTimer(11, () => seen.push(`timer@${clock.now()}`));
    await clock.advance(20);
    expect(seen).toEqual(["broken", "work@10", "timer@11"]);
  });

  it("waits while it is busy", async () => {
    let turns = 3;
    const clock = new VirtualClock({ isBusy: () => turns-- > 0 });
    clock.setTimer(1, () => expect(turns).toBeLessThan(0));
    await clock.advance(1);
  });

  it("stops as soon as something is done", async () => {
    const clock = new VirtualClock();
    let ran = 0;
    for (const due of [10, 20, 30]) clock.setTimer(due, () => ran++);
    expect(await clock.advanceUntil(() => ran === 2, 100)).toBe(true);
    expect(clock.now()).toBe(20);
    expect(await clock.advanceUntil(() => ran === 4, 100)).toBe(false);
    expect(clock.now()).toBe(120);
  });
});
