import { SipError } from "@sipkit/core";
import { isAskable } from "./askable-user.ts";
import type { Credential, CredentialsFunction } from "./credentials.ts";

/** What is needed of a database: the Pool of node-postgres fits, and so does a function of three lines round another. */
export interface SqlDatabase {
  query(
    text: string,
    values: string[],
  ): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>;
}

export interface SqlCredentialsOptions {
  /**
   * A query with placeholders, that gives one row for a user and none for nobody, as
   * `SELECT password FROM users WHERE username = $1 AND realm = $2`.
   */
  readonly query: string;
  /** The values of its placeholders. Default: user and realm. */
  readonly values?: (user: string, realm: string) => string[];
  /**
   * What a row says. Default: its column `password`, else the HA1s in `ha1` (MD5), `ha1_sha256` and `ha1_sha512_256`, in
   * hex; where it has a column `username` that must be the user's, letter for letter.
   */
  readonly read?: (row: Readonly<Record<string, unknown>>, user: string) => Credential | undefined;
}

/**
 * The users of an SQL database. Names go to it as values of placeholders and never into the text. An error of the
 * database rejects, which is answered with 500 and reported; so is a second row, since the query then asks for more
 * than one user. Put `cached` round it.
 *
 * Throws `SIP_BAD_OPTION` for a query without a placeholder.
 */
export function sqlCredentials(
  database: SqlDatabase,
  { query, values = (user, realm) => [user, realm], read = readColumns }: SqlCredentialsOptions,
): CredentialsFunction {
  // One without would give everybody's row to anybody.
  if (!/\$1|\?|[:@][a-z]/i.test(query)) {
    throw new SipError("SIP_BAD_OPTION", "query must have a placeholder for the user");
  }
  return async (user, realm) => {
    if (!isAskable(user)) return undefined;
    const { rows } = await database.query(query, values(user, realm));
    const [row, second] = rows;
    if (second !== undefined) {
      throw new SipError("SIP_BAD_CREDENTIALS", "the query gave more than one row for a user");
    }
    return row === undefined ? undefined : read(row, user);
  };
}

/** Many databases compare text without regard to case or to spaces at its end: digest doesn't, nor do we. */
function readColumns(row: Readonly<Record<string, unknown>>, user: string): Credential | undefined {
  if (typeof row.username === "string" && row.username !== user) return undefined;
  if (typeof row.password === "string") return row.password;
  const ha1 = {
    ...(typeof row.ha1 === "string" && { MD5: row.ha1 }),
    ...(typeof row.ha1_sha256 === "string" && { "SHA-256": row.ha1_sha256 }),
    ...(typeof row.ha1_sha512_256 === "string" && { "SHA-512-256": row.ha1_sha512_256 }),
  };
  if (Object.keys(ha1).length > 0) return { ha1 };
  throw new SipError("SIP_BAD_CREDENTIALS", "a row has neither a password nor an HA1");
}
