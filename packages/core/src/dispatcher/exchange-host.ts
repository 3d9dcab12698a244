import type { Peer } from "../arrival.ts";
import type { Packet } from "../chain/handler.ts";
import type { Clock } from "../clock.ts";
import type { SipError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import type { Response } from "../message/response.ts";
import type { TransactionTable } from "../transaction/table.ts";
import type { TransportLeg } from "../transport/leg.ts";
import type { Watch } from "./watch.ts";

/** What an exchange needs of its dispatcher. */
export interface ExchangeHost {
  readonly table: TransactionTable;
  readonly watch: Watch;
  count(name: string): void;
  report(error: SipError, at?: { readonly packet?: Packet; readonly handler?: string }): void;
  /** Runs the handlers' `beforeSend`. */
  beforeSend(packet: Packet, leg: TransportLeg, to: Peer): void;
  readonly clock: Clock;
  readonly node: string;
  /** Tells the trace that a packet goes out. `owner`: what a response belongs to, where it may go again. */
  sending(packet: Packet, leg: TransportLeg, to: Peer, owner?: object): void;
  answerUnclaimed(request: Request): Response;
}
