/**
 * Users in a table of PostgreSQL: an HA1 each, remembered for a minute, so that a registration costs no query.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/sql-users/main.ts
 *          with a table in memory; with DATABASE_URL=postgres://USER@HOST/NAME in its environment it makes one there
 * Try it:  sipsak -U -C sip:alice@127.0.0.1:5070 -x 60 -u alice -a secret -s sip:alice@127.0.0.1:5060
 */
import { Authorize, cached, type SqlDatabase, sqlCredentials } from "@sipkit/auth";
import { Dispatcher } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { Pool } from "pg";
import { fillUserTable, userTableInMemory } from "./user-table.ts";

const realm = "example.com";
const port = process.argv[2] ?? "5060";

const pool = openPool(process.env.DATABASE_URL);
const database: SqlDatabase = pool ?? userTableInMemory(realm);
if (pool !== undefined) await fillUserTable(pool, realm);

const server = new Dispatcher({
  legs: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
  domains: [realm],
  receiver: [
    new Authorize({
      realm,
      credentials: cached(
        sqlCredentials(database, {
          query: "SELECT username, ha1 FROM subscriber WHERE username = $1 AND realm = $2",
        }),
      ),
    }),
    new Registrar(),
    new Proxy(),
  ],
});

for (const leg of await server.listen()) console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
console.log(`users are in ${pool === undefined ? "memory" : "PostgreSQL"}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await server.close({ within: 2000 });
    await pool?.end();
  });
}

/** A database that hangs holds requests for as long as its driver waits for it. */
function openPool(connectionString: string | undefined): Pool | undefined {
  if (connectionString === undefined) return undefined;
  const opened = new Pool({
    connectionString,
    max: 4,
    connectionTimeoutMillis: 1000,
    query_timeout: 1000,
  });
  // A connection that breaks while nobody uses it would end the process; the next query opens another.
  opened.on("error", (error) => console.error(`PostgreSQL: ${error.message}`));
  return opened;
}
