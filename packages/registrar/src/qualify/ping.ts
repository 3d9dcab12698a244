import {
  asRequestUri,
  type ClientObserver,
  Request,
  type Response,
  type SipError,
  type Target,
} from "@sipkit/core";
import type { Binding } from "../binding.ts";
import { userUri } from "../user-uri.ts";
import type { BegunPing } from "./ping-states.ts";

/** Who is told what became of a ping. */
export interface PingKeeper {
  /** By any final response. */
  answered(ping: Ping, status: number): void;
  failed(ping: Ping, error: SipError): void;
}

/** An OPTIONS to a binding, until its transaction is over. */
export class Ping implements ClientObserver {
  readonly addressOfRecord: string;
  readonly binding: Binding;
  readonly begun: BegunPing;
  /** By the monotonic clock. */
  readonly sentAt: number;
  readonly #keeper: PingKeeper;

  constructor(
    { addressOfRecord, binding, begun }: Pick<Ping, "addressOfRecord" | "binding" | "begun">,
    sentAt: number,
    keeper: PingKeeper,
  ) {
    this.addressOfRecord = addressOfRecord;
    this.binding = binding;
    this.begun = begun;
    this.sentAt = sentAt;
    this.#keeper = keeper;
  }

  response({ status }: Response): void {
    if (status >= 200) this.#keeper.answered(this, status);
  }

  failed(error: SipError): void {
    this.#keeper.failed(this, error);
  }
}

/** RFC 3261 §11.1. `token` makes a text that nobody guesses. */
export function optionsTo(addressOfRecord: string, { uri }: Binding, token: () => string): Request {
  const domain = addressOfRecord.slice(addressOfRecord.lastIndexOf("@") + 1);
  return new Request("OPTIONS", asRequestUri(uri), {
    headers: {
      "Max-Forwards": "70",
      To: `<${userUri(addressOfRecord)}>`,
      From: `<sip:${domain}>;tag=${token()}`,
      "Call-ID": token(),
      CSeq: "1 OPTIONS",
      Accept: "application/sdp",
    },
  });
}

/** Over its flow, whatever its Contact says: nothing is sent to where nobody registered from. */
export function targetOfPing({ uri, q, flow, expiresAt }: Binding): Target {
  return { uri: asRequestUri(uri), q, route: [], expiresAt, ...(flow && { flow }) };
}
