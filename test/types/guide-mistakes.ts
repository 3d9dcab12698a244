/** The mistakes that docs/writing-a-handler.md shows: none of them compiles. `tsc` is the test. */
import { type Handler, onRequest, type Receive } from "@sipkit/core";
import { spamScore } from "../docs/handler-guide/spam-score.ts";

declare function isBlocked(caller: string): Promise<boolean>;
declare const banned: ReadonlySet<string>;

export const dropsNothing: Receive = (_packet, _leg, from) =>
  // @ts-expect-error a boolean is no verdict: `&& "drop"` is missing
  banned.has(from.address);

export const busy: Receive = (packet) =>
  // @ts-expect-error a response can't be answered: `packet.isRequest &&` is missing
  packet.method === "INVITE" && packet.createResponse(486);

export const unanswered: Receive = (packet) =>
  // @ts-expect-error a promise of a boolean is no verdict either: `await`, and then a verdict
  isBlocked(packet.from.uri);

export const highScore: Handler = onRequest("INVITE", (request) => {
  // @ts-expect-error a fact of another type than its key's
  request.set(spamScore, "high");
  return;
});

export const slowHook: Handler = {
  receive() {},
  // @ts-expect-error the hook on the way out is synchronous
  async beforeSend() {},
};
