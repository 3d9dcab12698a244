import type { Peer } from "../arrival.ts";
import type { AnyHandler, Packet } from "../chain/handler.ts";
import type { Clock } from "../clock.ts";
import type { LegAddress } from "../transport/leg-address.ts";
import { type Answer, TestServer } from "./test-server.ts";

/**
 * Asks handlers about one packet: no socket, no mock, virtual time. The text of a request may leave out the mandatory
 * headers that the test isn't about. For several packets in a row use `TestServer`.
 *
 * @example
 * const { verdict } = await ask(doNotDisturb, "INVITE sip:bob@example.com SIP/2.0");
 */
export async function ask(
  handler: AnyHandler | readonly AnyHandler[],
  packet: Packet | string,
  at: { readonly leg?: LegAddress; readonly from?: Partial<Peer>; readonly clock?: Clock } = {},
): Promise<Answer> {
  const { leg, from, clock } = at;
  const server = await TestServer.start(handler, { ...(leg && { leg }), ...(clock && { clock }) });
  try {
    return await server.ask(packet, from && { from });
  } finally {
    await server.close();
  }
}
