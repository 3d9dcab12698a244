import type { Request } from "../message/request.ts";
import type { Response, ResponseOptions } from "../message/response.ts";
import { asSipError } from "./as-sip-error.ts";
import type { ExchangeHost } from "./exchange-host.ts";

/** A refusal. A reason or a header that can't be sent, as one that repeats what a stranger wrote, makes it a plain 500. */
export function safeRefusal(
  request: Request,
  status: number,
  options: ResponseOptions,
  host: Pick<ExchangeHost, "report">,
): Response {
  try {
    return request.createResponse(status, options);
  } catch (error) {
    host.report(asSipError(error), { packet: request });
    return request.createResponse(500);
  }
}
