import { type SqlDatabase, sqlCredentials } from "@sipkit/auth";
import type { Client, Pool } from "pg";

declare const pool: Pool;
declare const client: Client;

// What node-postgres gives fits as it is.
export const databases: readonly SqlDatabase[] = [pool, client];

sqlCredentials(pool, { query: "SELECT password FROM users WHERE username = $1 AND realm = $2" });

// @ts-expect-error a query that takes no text as a value
export const numbers: SqlDatabase = { query: async (_: string, __: number[]) => ({ rows: [] }) };

// @ts-expect-error the text must be a text: nothing can be put together per user
sqlCredentials(pool, { query: (user: string) => `SELECT '${user}'` });
