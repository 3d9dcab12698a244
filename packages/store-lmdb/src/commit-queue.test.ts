import { describe, expect, it } from "vitest";
import { CommitQueue } from "./commit-queue.ts";

/** Transactions that run at once, and are on the disk when a test says so. */
class Disk {
  readonly commits: { resolve(): void; reject(error: unknown): void }[] = [];
  readonly transact = (run: () => void): Promise<void> => {
    run();
    return new Promise((resolve, reject) => this.commits.push({ resolve, reject }));
  };
}

describe("CommitQueue", () => {
  it("acknowledges what is on the disk, and has what comes meanwhile share the next transaction", async () => {
    const disk = new Disk();
    const queue = new CommitQueue(disk.transact);
    const done: number[] = [];
    const add = (value: number): Promise<unknown> =>
      queue.add(() => value).then((given) => done.push(given));
    const first = add(1);
    const others = [add(2), add(3)];
    await Promise.resolve();
    expect([disk.commits.length, done]).toEqual([1, []]);
    disk.commits[0]?.resolve();
    await first;
    expect([disk.commits.length, done]).toEqual([2, [1]]);
    disk.commits[1]?.resolve();
    await Promise.all(others);
    expect([disk.commits.length, done]).toEqual([2, [1, 2, 3]]);
  });

  it("passes on what work throws to it alone", async () => {
    const queue = new CommitQueue(async (run) => run());
    const fault = new Error("refused");
    const refused = queue.add(() => {
      throw fault;
    });
    const other = queue.add(() => "kept");
    await expect(refused).rejects.toBe(fault);
    await expect(other).resolves.toBe("kept");
  });

  it("fails all of a transaction that failed, says why, and goes on", async () => {
    const disk = new Disk();
    const queue = new CommitQueue(disk.transact);
    const cause = new Error("no space left on the disk");
    const commitError = Promise.reject(cause);
    const failing = expect(queue.add(() => 1)).rejects.toMatchObject({
      code: "SIP_STORE_UNAVAILABLE",
      cause,
    });
    const next = queue.add(() => 2);
    disk.commits[0]?.reject(Object.assign(new Error("Commit failed"), { commitError }));
    await failing;
    disk.commits[1]?.resolve();
    await expect(next).resolves.toBe(2);
  });

  it("fails all who wait when no transaction can begin", async () => {
    const queue = new CommitQueue(() => Promise.reject(new Error("closed")));
    const all = await Promise.allSettled([queue.add(() => 1), queue.add(() => 2)]);
    expect(all.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  it("lets so many wait and no more", async () => {
    const disk = new Disk();
    const queue = new CommitQueue(disk.transact);
    const all = Array.from({ length: 10_001 }, (_, index) => queue.add(() => index));
    await expect(queue.add(() => 0)).rejects.toMatchObject({ code: "SIP_STORE_UNAVAILABLE" });
    const finished = Promise.all(all);
    for (let commit = 0; commit < 42; commit += 1) {
      disk.commits[commit]?.resolve();
      await new Promise(setImmediate);
    }
    expect((await finished).at(-1)).toBe(10_000);
  });

  it("finishes what it has when it is closed, and takes no more", async () => {
    const disk = new Disk();
    const queue = new CommitQueue(disk.transact);
    const last = queue.add(() => "last");
    const closed = queue.close();
    await expect(queue.add(() => 1)).rejects.toThrow("the store is closed");
    disk.commits[0]?.resolve();
    await closed;
    await expect(last).resolves.toBe("last");
  });
});
