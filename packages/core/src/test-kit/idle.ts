import type { TransactionStats } from "../transaction/table.ts";

/** The stats of a transaction table that keeps nothing. */
export const idle: TransactionStats = {
  inviteServers: 0,
  nonInviteServers: 0,
  inviteClients: 0,
  nonInviteClients: 0,
  transactionBytes: 0,
};
