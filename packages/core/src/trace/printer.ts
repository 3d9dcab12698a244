import debug from "debug";
import { chainChannel } from "../chain/chain-channel.ts";
import type { EventChannel, TraceEvent } from "../event-channel.ts";
import { transactionChannel } from "../transaction/transaction-channel.ts";
import { connectionChannel } from "../transport/connection-channel.ts";
import {
  connectionLine,
  malformedLine,
  packetLine,
  refusedHopLine,
  stepLine,
  transactionLine,
} from "./event-line.ts";
import { malformedChannel } from "./malformed-channel.ts";
import { packetChannel } from "./packet-channel.ts";
import { refusedHopChannel } from "./refused-hop-channel.ts";

/** The longest of the channels' names: the lines of all begin in one column. */
const LONGEST = "sipkit:transaction".length;

/** Prints one line an event of each channel that `DEBUG` asks for. */
const printers: readonly (() => void)[] = [
  printer(packetChannel, packetLine),
  printer(malformedChannel, malformedLine),
  printer(chainChannel, stepLine),
  printer(transactionChannel, (event) =>
    event.phase === "ended" ? transactionLine(event) : undefined,
  ),
  printer(connectionChannel, connectionLine),
  printer(refusedHopChannel, refusedHopLine),
];

/** Prints what happens, one line an event, on those of the `sipkit:` channels that `DEBUG` asks for. */
export function startPrinter(): void {
  for (const start of printers) start();
}

/** What subscribes to a channel when `DEBUG` names it: once, however many dispatchers ask. */
function printer<Event extends TraceEvent>(
  channel: EventChannel<Event>,
  lineOf: (event: Event) => string | undefined,
): () => void {
  const name = String(channel.name);
  const log = debug(name);
  const margin = " ".repeat(LONGEST - name.length);
  const print = (event: Event): void => {
    const line = lineOf(event);
    if (line !== undefined) log("%s%s", margin, line);
  };
  return () => {
    channel.unsubscribe(print);
    if (log.enabled) channel.subscribe(print);
  };
}
