import { type Awaitable, SipError, whenKnown } from "@sipkit/core";
import { type CurrentBinding, currentBindings } from "./binding-targets.ts";
import type { Life } from "./life.ts";
import { userUri } from "./user-uri.ts";

/** Users that one page may have: what reading it costs, the event loop waits for. */
const MOST_LISTED = 1000;

/** Which page `Registrar.list` gives. */
export interface ListOptions {
  /** `next` of the page before; left out: the first page. */
  readonly after?: string | undefined;
  /** Users on the page, 1 to 1,000. Default: 100. */
  readonly limit?: number | undefined;
}

/** A user with bindings in force. */
export interface RegisteredUser {
  /** Canonical: `sip:user@host`, the user unescaped. */
  readonly addressOfRecord: string;
  /** The same as a URI, for `query` and `remove`: that of `userUri`. */
  readonly uri: string;
  /** As `Registrar.query` gives them. */
  readonly bindings: readonly CurrentBinding[];
}

/** Some of the users who have bindings. */
export interface RegistrationPage {
  readonly users: readonly RegisteredUser[];
  /** A text that no user chose, for `after`; left out: this is the last page. */
  readonly next?: string;
}

/** Reads a page of the store. Who has static bindings alone is in no store. */
export function listUsers(
  life: Life,
  { after, limit = 100 }: ListOptions,
): Awaitable<RegistrationPage> {
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_LISTED) {
    throw new SipError("SIP_BAD_OPTION", `limit must be a whole number from 1 to ${MOST_LISTED}`);
  }
  return whenKnown(life.store.list({ after, limit }), ({ users, next }) => {
    const current = users
      .map(({ addressOfRecord, bindings }) => ({
        addressOfRecord,
        uri: userUri(addressOfRecord),
        bindings: currentBindings(life, addressOfRecord, bindings),
      }))
      .filter(({ bindings }) => bindings.length > 0);
    return next === undefined ? { users: current } : { users: current, next };
  });
}
