import debug from "debug";
import { type ChainStep, chainChannel } from "../chain/chain-channel.ts";
import type { Packet } from "../chain/handler.ts";
import { formatHostPort } from "../transport/host-port.ts";
import { type PacketEvent, packetChannel } from "./packet-channel.ts";

const packetLog = debug("sipkit:packet");
const chainLog = debug("sipkit:chain");

/** Prints packets and verdicts, one line each, when `DEBUG` asks for `sipkit:packet` or `sipkit:chain`. */
export function startPrinter(): void {
  subscribeWhen(packetLog.enabled, packetChannel, printPacket);
  subscribeWhen(chainLog.enabled, chainChannel, printStep);
}

interface Subscribable<T> {
  subscribe(listener: (message: T, name: string | symbol) => void): void;
  unsubscribe(listener: (message: T, name: string | symbol) => void): void;
}

/** Subscribes once, however many dispatchers ask. */
function subscribeWhen<T>(
  wanted: boolean,
  channel: Subscribable<T>,
  listener: (message: T) => void,
): void {
  channel.unsubscribe(listener);
  if (wanted) channel.subscribe(listener);
}

function printPacket(event: unknown): void {
  const { direction, packet, peer } = event as PacketEvent;
  const arrow = direction === "in" ? "<-" : "->";
  packetLog(
    "%s %s:%s %s",
    arrow,
    peer.protocol,
    formatHostPort(peer.address, peer.port),
    summary(packet),
  );
}

function printStep(event: unknown): void {
  const { packet, handler, verdict, error, duration } = event as ChainStep;
  chainLog(
    "%s: %s %s (%s ms)",
    summary(packet),
    handler,
    outcome(verdict, error),
    duration.toFixed(3),
  );
}

/** `INVITE sip:bob@example.com 1 INVITE 3848276298220188511@atlanta`, escaped so that a terminal is safe. */
function summary(packet: Packet): string {
  const what = packet.isRequest
    ? `${packet.method} ${packet.uri}`
    : `${packet.status} ${packet.reason} (${packet.method})`;
  return printable(`${what} ${packet.callId}`);
}

function outcome(verdict: ChainStep["verdict"], error: unknown): string {
  if (error !== undefined)
    return `threw ${printable(error instanceof Error ? error.message : String(error))}`;
  if (typeof verdict === "object") return `${verdict.status} ${printable(verdict.reason)}`;
  return verdict || "passed on";
}

/** Control characters shown as escapes: what strangers send must not drive an operator's terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
