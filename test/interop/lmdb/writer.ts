/**
 * Writes into a store until it is killed: `writer.ts FOLDER NAME`. Prints `ready`, and then `USER CSEQ` for each binding
 * that was acknowledged, before it goes on.
 */
import { sampleBinding } from "@sipkit/registrar/testing";
import { lmdbStore } from "@sipkit/store-lmdb";

const USERS = 20;

const [path = "", name = ""] = process.argv.slice(2);
const store = lmdbStore({ path });
process.stdout.write("ready\n");

/** Registers a user again and again, and counts in a binding that all processes share. */
async function write(user: string): Promise<never> {
  for (;;) {
    const [kept] = await store.update(user, ([before]) => [
      sampleBinding(user, { cseq: (before?.cseq ?? 0) + 1 }),
    ]);
    process.stdout.write(`${user} ${kept?.cseq}\n`);
  }
}

const own = Array.from({ length: USERS }, (_, user) => write(`${name}${user}`));
await Promise.all([...own, write("shared")]);
