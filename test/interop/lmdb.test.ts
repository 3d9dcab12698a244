import { sampleBinding } from "@sipkit/registrar/testing";
import { lmdbStore } from "@sipkit/store-lmdb";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { endPrograms, Program } from "./program.ts";
import { digest, RawPhone } from "./raw-phone.ts";
import { removeScratchFolders, scratchFolder } from "./scratch.ts";
import { startServer, users } from "./start-server.ts";

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

describe("examples/registrar on lmdb", () => {
  it("has its registrations after kill -9, and reaches the phones as before", async () => {
    const store = ["--store", `lmdb:${folder}`, ...users("alice", "bob")];
    const first = await startServer(...store);
    await first.program.printed(new RegExp(`registrations are kept in ${folder}`));
    const alice = await RawPhone.open(first, "127.0.0.2");
    // The contact is private and elsewhere: she is reached by the flow that her REGISTER came by, or not at all.
    const request = { user: "alice", contact: "sip:alice@10.255.0.1", callId: "kept" };
    const challenged = await alice.register({ ...request, cseq: 1 });
    const authorization = digest(challenged, { user: "alice", password: "secret" });
    const accepted = await alice.register({ ...request, cseq: 2, authorization });
    expect(accepted.status).toBe(200);
    await first.program.end("SIGKILL");

    const second = await startServer(...store, "--listen", `udp:${first.address}`);
    const bob = await RawPhone.open(second, "127.0.0.3");
    expect(await bob.bindings("alice")).toEqual([
      expect.stringMatching(/^<sip:alice@10\.255\.0\.1>;expires=\d+$/),
    ]);
    const [rang, answered] = await Promise.all([alice.answer(), bob.message("alice", "bob")]);
    expect(rang).toBe("MESSAGE sip:alice@10.255.0.1 SIP/2.0");
    expect(answered.status).toBe(200);
    alice.close();
    bob.close();
    await second.stop();
  });
});
