import type { InviteClient } from "./invite-client.ts";
import type { NonInviteClient } from "./non-invite-client.ts";

/** A client transaction. */
export type ClientMachine = InviteClient | NonInviteClient;
