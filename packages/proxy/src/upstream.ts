import type { Request, Response, Server } from "@sipkit/core";

/** Sends a branch's response on to who sent the request. RFC 3261 §16.7 steps 3 and 9 */
export function forwardUpstream(server: Server, request: Request, response: Response): void {
  const { headers } = response;
  headers.shift("via");
  // Deviation: §16.7 step 3 takes a response without a further Via for one that is meant for us and drops it. Phones
  // exist whose 487 repeats the Vias of the CANCEL, which are ours alone (Net::SIP), and their caller would wait for
  // ever. The transaction has told whose response it is, so the Vias of the request are put back.
  if (!headers.has("via")) {
    for (const via of request.headers.getAll("via").toReversed()) headers.prepend("via", via);
  }
  server.deliver(response, { answers: request });
}
