import { sampleBinding } from "@sipkit/registrar/testing";
import { lmdbStore } from "@sipkit/store-lmdb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endPrograms, Program } from "./program.ts";
import { removeScratchFolders, scratchFolder } from "./scratch.ts";

let folder = "";
beforeEach(async () => {
  folder = await scratchFolder();
});
afterEach(async () => {
  await endPrograms();
  await removeScratchFolders();
});

const root = new URL("../../", import.meta.url).pathname;

async function startWriter(name: string): Promise<Program> {
  const node = ["--conditions=@sipkit/source", "--import", "tsx"];
  const args = [...node, "test/interop/lmdb/writer.ts", folder, name];
  const writer = new Program(process.execPath, args, { cwd: root });
  await writer.printed(/ready/);
  return writer;
}

/** What writers have printed that was acknowledged: `USER CSEQ`, in whole lines. */
function acknowledged(...writers: readonly Program[]): readonly [user: string, cseq: number][] {
  const lines = writers.flatMap(({ output }) => [...output.matchAll(/^(\S+) (\d+)\n/gm)]);
  return lines.map(([, user = "", cseq]) => [user, Number(cseq)]);
}

/** The highest CSeq of each user. */
function latest(acks: readonly [user: string, cseq: number][]): ReadonlyMap<string, number> {
  const highest = new Map<string, number>();
  for (const [user, cseq] of acks) highest.set(user, Math.max(cseq, highest.get(user) ?? 0));
  return highest;
}

/** Starts two writers, and kills them when each of the users of both has registered some times. */
async function killTwo(): Promise<readonly Program[]> {
  const writers = await Promise.all([startWriter("a"), startWriter("b")]);
  await Promise.all([writers[0].printed(/^a0 \d+5$/m), writers[1].printed(/^b0 \d+5$/m)]);
  await Promise.all(writers.map((writer) => writer.end("SIGKILL")));
  return writers;
}

describe("lmdbStore, shared by two processes", () => {
  it("has every acknowledged binding after kill -9, round after round", async () => {
    let before: ReadonlyMap<string, number> = new Map();
    for (let round = 0; round < 5; round += 1) {
      const writers = await killTwo();
      const wanted = new Map([...before, ...latest(acknowledged(...writers))]);
      const store = lmdbStore({ path: folder });
      for (const [user, cseq] of wanted) {
        const [binding] = store.read(user) ?? [];
        expect(binding?.cseq, user).toBeGreaterThanOrEqual(cseq);
      }
      before = wanted;
      await store.close();
    }
    expect(before.size).toBe(41);
  });

  it("loses no update of one user that both change", async () => {
    const counts = acknowledged(...(await killTwo())).filter(([user]) => user === "shared");
    expect(counts.length).toBeGreaterThan(10);
    // Each number was given to one of them alone.
    expect(new Set(counts.map(([, cseq]) => cseq)).size).toBe(counts.length);
  });

  it("goes on in one while the other is killed within its transactions", async () => {
    const store = lmdbStore({ path: folder });
    for (let round = 0; round < 5; round += 1) {
      const writer = await startWriter("a");
      await writer.printed(/^a0 \d*5$/m);
      const [, ended] = await Promise.all([
        store.update("mine", ([before]) => [sampleBinding(1, { cseq: (before?.cseq ?? 0) + 1 })]),
        writer.end("SIGKILL"),
      ]);
      expect(ended).toBe("SIGKILL");
      for (const [user, cseq] of latest(acknowledged(writer))) {
        expect(store.read(user)?.[0]?.cseq, user).toBeGreaterThanOrEqual(cseq);
      }
    }
    expect(store.read("mine")?.[0]?.cseq).toBe(5);
    await store.close();
  });
});
