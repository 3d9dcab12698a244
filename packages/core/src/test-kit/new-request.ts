import type { Method } from "../message/method.ts";
import { Request } from "../message/request.ts";

let calls = 0;

/** A request of ours outside a dialog, as an application makes it: a call of its own each time. */
export function newRequest(method: Method, uri: string): Request {
  calls += 1;
  return new Request(method, uri, {
    headers: {
      From: "<sip:alice@192.0.2.1>;tag=1",
      To: `<${uri}>`,
      "Call-ID": `${calls}@192.0.2.1`,
      CSeq: `1 ${method}`,
      "Max-Forwards": "70",
      Contact: "<sip:alice@192.0.2.1>",
    },
  });
}
