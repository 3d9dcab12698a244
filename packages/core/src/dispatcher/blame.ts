import { claimant } from "../chain/link.ts";
import { SipError } from "../errors.ts";
import type { Request } from "../message/request.ts";
import type { ExchangeHost } from "./exchange-host.ts";

/** Reports what the handler that claimed a request did wrong. */
export function blame(
  request: Request,
  code: `SIP_${string}`,
  what: string,
  host: Pick<ExchangeHost, "report">,
): void {
  const by = request.get(claimant);
  const at = { packet: request, ...(by === undefined ? {} : { handler: by }) };
  host.report(new SipError(code, `${by ?? "a handler"} ${what}`), at);
}
