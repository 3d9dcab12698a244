import { ha1Of, type SqlDatabase } from "@sipkit/auth";
import type { Pool } from "pg";

const USERS = ["alice", "bob"];
const PASSWORD = "secret";

/** Makes the table where it isn't there yet, with two users to try it. */
export async function fillUserTable(pool: Pool, realm: string): Promise<void> {
  await pool.query(
    "CREATE TABLE IF NOT EXISTS subscriber (username text, realm text, ha1 text, PRIMARY KEY (username, realm))",
  );
  for (const user of USERS) {
    await pool.query("INSERT INTO subscriber VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", [
      ...[user, realm, ha1Of(user, realm, PASSWORD)],
    ]);
  }
}

/** The same table without a server: it knows the one query that the example asks. */
export function userTableInMemory(realm: string): SqlDatabase {
  const rows = USERS.map((username) => ({ username, ha1: ha1Of(username, realm, PASSWORD) }));
  return {
    query: async (_text, [user, ofRealm]) => ({
      rows: ofRealm === realm ? rows.filter(({ username }) => username === user) : [],
    }),
  };
}
