import type { InviteServer } from "./invite-server.ts";
import type { NonInviteServer } from "./non-invite-server.ts";

/** A server transaction; narrow it by `isInvite`. */
export type ServerTransaction = InviteServer | NonInviteServer;
