import type { Peer } from "../arrival.ts";
import type { ChainStep } from "../chain/chain-channel.ts";
import type { Packet } from "../chain/handler.ts";
import { messageOf } from "../errors.ts";
import type { TransactionEnded } from "../transaction/transaction-channel.ts";
import type { ConnectionEvent } from "../transport/connection-channel.ts";
import { formatHostPort } from "../transport/host-port.ts";
import type { MalformedEvent } from "./malformed-channel.ts";
import type { PacketEvent } from "./packet-channel.ts";
import { shortened } from "./printable.ts";
import type { RefusedHopEvent } from "./refused-hop-channel.ts";

// The widths of the columns: who, what, CSeq, Call-ID. The last one is as wide as it is.
const WHO = 26;
const WHAT = 36;
const CSEQ = 14;
const CALL = 14;

/** A packet: direction, peer, what it says, CSeq, Call-ID, size. Nothing of its other headers, so no credentials. */
export function packetLine({ direction, packet, peer, retransmission, size }: PacketEvent): string {
  const arrow = direction === "in" ? "<-" : "->";
  const extent = `${size} B${retransmission ? ", again" : ""}`;
  return line(`${arrow} ${peerText(peer)}`, startText(packet), ...callText(packet), extent);
}

/** What a handler said of a packet, and how long it took. */
export function stepLine({ packet, handler, verdict, error, duration }: ChainStep): string {
  let said = verdict || "passed on";
  if (error !== undefined) said = `threw: ${messageOf(error)}`;
  else if (typeof said === "object") said = `${said.status} ${said.reason}`;
  return line(`   ${handler}`, said, ...callText(packet), milliseconds(duration));
}

/** A transaction, once it has ended. */
export function transactionLine(event: TransactionEnded): string {
  const { role, peer, method, outcome, status, error, callId, duration } = event;
  const arrow = role === "server" ? "<-" : "->";
  const why = status ?? error?.message;
  const what = `${method} ${outcome}${why === undefined ? "" : `: ${why}`}`;
  return line(`${arrow} ${peerText(peer)}`, what, "", callId, milliseconds(duration));
}

/** What happened to a connection. */
export function connectionLine({ what, peer, id, why }: ConnectionEvent): string {
  const number = id === undefined ? "" : ` #${id}`;
  return line(`   ${peerText(peer)}`, `${what}${number}${why === undefined ? "" : `: ${why}`}`);
}

/** A place that a request may not go to. */
export function refusedHopLine({ request, hop }: RefusedHopEvent): string {
  return line(`-| ${peerText(hop)}`, `refused: ${startText(request)}`, ...callText(request));
}

/** Bytes that are no SIP message: what is wrong, and nothing of the bytes. */
export function malformedLine({ error, bytes, peer }: MalformedEvent): string {
  return line(
    `<- ${peerText(peer)}`,
    `${error.status}: ${error.message}`,
    "",
    "",
    `${bytes.length} B`,
  );
}

/** A packet's start line as people say it: `INVITE sip:bob@example.com`, `180 Ringing`. */
export function startText(packet: Packet): string {
  return packet.isRequest
    ? `${packet.method} ${withoutPassword(packet.uri)}`
    : `${packet.status} ${packet.reason}`;
}

/** Where a peer is: `udp 192.0.2.7:5060`. */
function peerText({ protocol, address, port }: Peer): string {
  return `${protocol} ${formatHostPort(address, port)}`;
}

/** CSeq and Call-ID as they are written: a handler may have left them malformed, or taken them away. */
function callText({ headers }: Packet): [cseq: string, callId: string] {
  return [headers.get("CSeq") ?? "", headers.get("Call-ID") ?? ""];
}

/** RFC 3261 §19.1.1: a URI can hold a password, though it is told not to. */
function withoutPassword(uri: string): string {
  return uri.replace(/^(sips?:[^:@;?]*):[^@]*@/i, "$1:***@");
}

function milliseconds(duration: number): string {
  return `${duration.toFixed(3)} ms`;
}

function line(who: string, what: string, cseq = "", callId = "", last = ""): string {
  const cells = [
    shortened(who, 60).padEnd(WHO),
    shortened(what, 72).padEnd(WHAT),
    shortened(cseq, CSEQ).padEnd(CSEQ),
    shortened(callId, CALL).padEnd(CALL),
    last,
  ];
  return cells.join("  ").trimEnd();
}
