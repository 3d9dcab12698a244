import { cached, ha1Of, sqlCredentials } from "@sipkit/auth";
import type { Pool } from "pg";
import { describe, expect, it } from "vitest";
import { fillUserTable, userTableInMemory } from "../../examples/sql-users/user-table.ts";

const query = "SELECT username, ha1 FROM subscriber WHERE username = $1 AND realm = $2";

/** What stands for the pool of node-postgres: a table that takes inserts and gives rows by user and realm. */
function fakePool(): { pool: Pool; asked: readonly (readonly [text: string, values: unknown])[] } {
  const table = new Map<string, Readonly<Record<string, string>>>();
  const asked: (readonly [string, unknown])[] = [];
  const answer = async (text: string, values: readonly string[] = []) => {
    asked.push([text, values]);
    const [username = "", realm = "", ha1 = ""] = values;
    const key = JSON.stringify([username, realm]);
    if (text.startsWith("INSERT")) table.set(key, { username, ha1 });
    const row = text.startsWith("SELECT") ? table.get(key) : undefined;
    return { rows: row === undefined ? [] : [row] };
  };
  const pool: Pick<Pool, "query"> = { query: answer as Pool["query"] };
  return { pool: pool as Pool, asked };
}

describe("users in SQL", () => {
  it("are put into a table of node-postgres's, and found there by values alone", async () => {
    const { pool, asked } = fakePool();
    await fillUserTable(pool, "example.com");
    const look = cached(sqlCredentials(pool, { query }));
    const own = { ha1: { MD5: ha1Of("alice", "example.com", "secret") } };
    for (let time = 0; time < 3; time += 1) expect(await look("alice", "example.com")).toEqual(own);
    expect(await look("alice", "example.org")).toBeUndefined();
    expect(await look("'; DROP TABLE subscriber;--", "example.com")).toBeUndefined();
    expect(asked.filter(([text]) => text.startsWith("SELECT"))).toEqual([
      [query, ["alice", "example.com"]],
      [query, ["alice", "example.org"]],
      [query, ["'; DROP TABLE subscriber;--", "example.com"]],
    ]);
    expect(asked.some(([text]) => text.includes("alice"))).toBe(false);
  });

  it("are the same in the table that is kept in memory", async () => {
    const { pool } = fakePool();
    await fillUserTable(pool, "example.com");
    const [there, here] = [pool, userTableInMemory("example.com")].map((database) =>
      sqlCredentials(database, { query }),
    );
    for (const user of ["alice", "bob", "carol", "Alice"]) {
      for (const realm of ["example.com", "example.org"]) {
        expect(await here?.(user, realm)).toEqual(await there?.(user, realm));
      }
    }
  });
});
