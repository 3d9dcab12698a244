/** Draws the ladder of whatever server runs in this process: see `main.ts` beside this one. */
import { Ladder, ladderMessage, packetChannel } from "@sipkit/core";

const ladder = new Ladder();
packetChannel.subscribe((event) => {
  for (const line of ladder.add(ladderMessage(event))) console.log(line);
});
