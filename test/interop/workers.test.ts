import { EventEmitter, once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canReusePort } from "../../packages/core/src/transport/reuse-port.ts";
import { freePort } from "./free-port.ts";
import { endPrograms, Program } from "./program.ts";
import { removeScratchFolders, scratchFolder } from "./scratch.ts";
import { users } from "./start-server.ts";
import { CallingPhone } from "./workers/phone.ts";

const UDP_PHONES = 14;
const TCP_PHONES = 6;
/** Three processes, each of which compiles itself first, ms. */
const STARTS_WITHIN = 60_000;

if (!canReusePort()) process.stderr.write("interop: skipping examples/workers: needs Node 22.12\n");

const opened: CallingPhone[] = [];
afterEach(async () => {
  for (const phone of opened.splice(0)) phone.close();
  await endPrograms();
  await removeScratchFolders();
});

/** examples/workers with two workers. */
async function startWorkers(folder: string, port: number): Promise<Program> {
  const names = Array.from({ length: UDP_PHONES + TCP_PHONES }, (_, i) => `u${i}`);
  const root = new URL("../../", import.meta.url).pathname;
  const program = new Program(
    process.execPath,
    [
      ...["--conditions=@sipkit/source", "--import", "tsx", "examples/workers/main.ts"],
      ...["--workers", "2", "--private-port", `${(await freePort()) + 10_000}`],
      ...["--listen", `udp:127.0.0.1:${port}`, "--listen", `tcp:127.0.0.1:${port}`],
      ...["--store", `lmdb:${folder}`, ...users(...names)],
    ],
    { cwd: root },
  );
  await program.printed(/registrations are kept in/, STARTS_WITHIN);
  return program;
}

async function openPhones(port: number): Promise<readonly CallingPhone[]> {
  const phones = Array.from(
    { length: UDP_PHONES + TCP_PHONES },
    (_, i) => new CallingPhone(`u${i}`, i < UDP_PHONES ? "udp" : "tcp", port),
  );
  opened.push(...phones);
  await Promise.all(phones.map((phone) => phone.open()));
  return phones;
}

/** Each phone calls each other one, a caller's calls one after the other. */
async function callAll(phones: readonly CallingPhone[]): Promise<void> {
  await Promise.all(
    phones.map(async (caller) => {
      for (const callee of phones) {
        if (callee === caller) continue;
        const what = `${caller.user} (${caller.protocol}) calls ${callee.user} (${callee.protocol})`;
        expect(await caller.call(callee.user), what).toEqual([200, 200]);
      }
    }),
  );
  for (const { invited, acknowledged } of phones) {
    expect([...acknowledged].sort()).toEqual([...invited.keys()].sort());
  }
}

/** Has each phone call the next one and talk until something has happened; all talk when this resolves. */
async function callAndTalk(
  phones: readonly CallingPhone[],
  end: Promise<unknown>,
): Promise<readonly Promise<readonly number[]>[]> {
  const calls: Promise<readonly number[]>[] = [];
  for (const [i, phone] of phones.entries()) {
    await new Promise<void>((talks) => {
      const callee = `u${(i + 1) % phones.length}`;
      const call = phone.call(callee, () => {
        talks();
        return end;
      });
      calls.push(call);
    });
  }
  // An ACK that is on its way through a worker when that is killed is lost, and its call with it.
  while (phones.some(({ invited, acknowledged }) => acknowledged.size < invited.size)) {
    await sleep(20);
  }
  return calls;
}

/** Kills a worker, and waits until it is there again. */
async function killWorker(program: Program, worker: number): Promise<void> {
  const listens = `worker ${worker}: process (\\d+) listens`;
  const [, pid] = new RegExp(listens).exec(program.output) ?? [];
  process.kill(Number(pid), "SIGKILL");
  const again = new RegExp(`worker ${worker}: ended by SIGKILL[^]*${listens}`);
  await program.printed(again, STARTS_WITHIN);
}

/** Whom each worker has registered, by what it printed. */
function registeredBy(program: Program, worker: number): readonly string[] {
  const lines = program.output.matchAll(new RegExp(`^${worker}: added sip:(\\w+)@`, "gm"));
  return [...lines].map(([, user = ""]) => user);
}

describe.runIf(canReusePort())("examples/workers, two of them on one port", () => {
  let program: Program;
  let phones: readonly CallingPhone[] = [];
  beforeEach(async () => {
    const port = await freePort();
    program = await startWorkers(await scratchFolder(), port);
    phones = await openPhones(port);
    for (const phone of phones) expect(await phone.register()).toBe(200);
    // What a worker prints comes after what it answers.
    await program.printed(new RegExp(`(?:: added [^]*?){${phones.length}}`));
  }, STARTS_WITHIN);

  it("serve each phone by one worker, and calls from each to each, over UDP and TCP", async () => {
    await callAll(phones);
    expect(await program.end()).toBe(0);
    const [first, second] = [registeredBy(program, 0), registeredBy(program, 1)];
    expect(first.length).toBeGreaterThan(0);
    expect(second.length).toBeGreaterThan(0);
    expect([...first, ...second].sort()).toEqual(phones.map(({ user }) => user).sort());
  });

  it("take what is sent three times for what is sent once", async () => {
    for (const phone of phones.slice(0, UDP_PHONES)) phone.times = 3;
    for (const phone of phones) expect(await phone.register()).toBe(200);
    for (const [i, phone] of phones.entries()) {
      expect(await phone.call(`u${(i + 1) % phones.length}`)).toEqual([200, 200]);
    }
    for (const { invited } of phones) {
      for (const branches of invited.values()) expect(branches.size).toBe(1);
    }
    await program.end();
    // One line for each registration that was done.
    expect(program.output.match(/: refreshed /g)).toHaveLength(phones.length);
  });

  it("lose nothing of UDP phones, and nobody's service, when one of them is killed", async () => {
    for (const worker of [0, 1]) {
      const connected = registeredBy(program, worker);
      const end = new EventEmitter();
      const calls = await callAndTalk(phones.slice(0, UDP_PHONES), once(end, "hang up"));
      await killWorker(program, worker);
      end.emit("hang up");
      // Whoever hangs up now is dealt to any worker.
      expect(new Set((await Promise.all(calls)).flat())).toEqual(new Set([200]));
      const lost = phones.filter(
        ({ user, protocol }) => protocol === "tcp" && connected.includes(user),
      );
      for (const phone of lost) {
        await phone.open();
        expect(await phone.register()).toBe(200);
      }
      // The UDP phones have done nothing: most of them are dealt to another worker now.
      await callAll(phones);
    }
    expect(await program.end()).toBe(0);
  });
});
