import { formatLadder, ladderText } from "../trace/ladder.ts";
import type { VirtualMessage } from "./virtual-message.ts";

const MOST_PARTIES = 16;

/** A ladder diagram of messages on a virtual network, one column a host. */
export function drawLadder(
  messages: readonly VirtualMessage[],
  nameOf: (address: string) => string,
): string {
  const names = new Map<string, string>();
  for (const { from, to } of messages) {
    for (const hostPort of [from, to]) {
      if (!names.has(hostPort)) names.set(hostPort, nameOf(hostPort));
    }
  }
  const arrows = messages.map((message) => {
    const { at, from, to, fate } = message;
    const text = fate === "held" || fate === "duplicated" ? ` ${fate}` : "";
    return { at, from, to, text: `${textOf(message)}${text}`, lost: fate === "lost" };
  });
  return formatLadder(arrows, { names, maxParties: MOST_PARTIES }).join("\n");
}

function textOf(message: VirtualMessage): string {
  try {
    return ladderText(message.packet);
  } catch {
    return "no SIP";
  }
}
