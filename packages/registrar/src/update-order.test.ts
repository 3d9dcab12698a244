import { describe, expect, it } from "vitest";
import { UpdateOrder } from "./update-order.ts";

describe("UpdateOrder", () => {
  it("runs what is done at once at once, and keeps nothing of it", () => {
    const order = new UpdateOrder();
    expect(order.run("alice", () => 1)).toBe(1);
    expect(order.size).toBe(0);
  });

  it("runs those of one key in turn, also after one that failed, and others meanwhile", async () => {
    const order = new UpdateOrder();
    const log: string[] = [];
    const task =
      (name: string, turns: number, fails = false) =>
      async (): Promise<void> => {
        for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
        log.push(name);
        if (fails) throw new Error(name);
      };
    const first = order.run("alice", task("first", 9, true));
    const second = order.run("alice", task("second", 1));
    const other = order.run("bob", task("other", 2));
    expect(order.size).toBe(2);
    await expect(first).rejects.toThrow("first");
    await Promise.all([second, other]);
    expect(log).toEqual(["other", "first", "second"]);
    await Promise.resolve();
    expect(order.size).toBe(0);
  });
});
