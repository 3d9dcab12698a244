import { ParseError } from "../errors.ts";
import { contact } from "./header/contact.ts";
import { cseq } from "./header/cseq.ts";
import { recordRoute } from "./header/record-route.ts";
import { route } from "./header/route.ts";
import { HeaderLine } from "./header-line.ts";
import {
  AUTHORIZATION,
  CALL_ID,
  FROM,
  PROXY_AUTHORIZATION,
  ROUTE,
  TO,
  VIA,
} from "./header-names.ts";
import { headOf, type Message } from "./message.ts";
import { formatNameAddr } from "./name-addr.ts";
import type { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { parseUri } from "./uri.ts";

/** What an ACK or a CANCEL is made of. */
export interface Follower {
  readonly uri: string;
  readonly lines: HeaderLine[];
}

function linesOf(message: Message, ...ids: readonly number[]): HeaderLine[] {
  return headOf(message).headers.lines.filter((line) => ids.includes(line.id));
}

function first(message: Message, id: number): HeaderLine[] {
  const line = headOf(message).headers.first(id);
  return line === undefined ? [] : [line];
}

function topmostVia(request: Request): HeaderLine[] {
  return first(request, VIA).map((line) => {
    const [value, ...others] = line.wireValues();
    return value === undefined || others.length === 0 ? line : line.withWireValue(value);
  });
}

function followUp(request: Request, method: string): HeaderLine[] {
  const { number } = request.headers.read(cseq) ?? { number: 0 };
  return [
    HeaderLine.of("Max-Forwards", "70"),
    ...first(request, FROM),
    ...first(request, CALL_ID),
    HeaderLine.of("CSeq", `${number} ${method}`),
  ];
}

/** RFC 3261 §9.1: all the same but the method, with the topmost Via alone. */
export function cancelOf(request: Request): Follower {
  return {
    uri: request.uri,
    lines: [
      ...topmostVia(request),
      ...linesOf(request, ROUTE),
      ...first(request, TO),
      ...followUp(request, "CANCEL"),
    ],
  };
}

/** RFC 3261 §17.1.1.3 for a response that isn't 2xx, §13.2.2.4 for a 2xx. */
export function ackOf(request: Request, response: Response): Follower {
  if (response.status < 200) throw new ParseError("A provisional response has no ACK");
  if (response.status >= 300) {
    return {
      uri: request.uri,
      lines: [
        ...topmostVia(request),
        ...linesOf(request, ROUTE),
        ...first(response, TO),
        ...followUp(request, "ACK"),
      ],
    };
  }
  const target = response.headers.read(contact);
  const remote = target === undefined || target === "*" ? request.uri : target.uri;
  // §12.1.2: the caller's route set is the Record-Route, reversed. §12.2: within a dialog it stays as it is.
  const routes =
    request.toTag === undefined
      ? [...response.headers.readAll(recordRoute)].reverse()
      : request.headers.readAll(route);
  const [next] = routes;
  const lines = [
    ...first(response, TO),
    ...followUp(request, "ACK"),
    ...linesOf(request, AUTHORIZATION, PROXY_AUTHORIZATION),
  ];
  // §12.2.1.1: a first route without lr is a strict router: it becomes the request-URI, the target the last route.
  if (next !== undefined && !isLooseRoute(next.uri)) {
    const rest = [...routes.slice(1).map(formatNameAddr), `<${remote}>`];
    return { uri: next.uri, lines: [...routeLines(rest), ...lines] };
  }
  return { uri: remote, lines: [...routeLines(routes.map(formatNameAddr)), ...lines] };
}

function routeLines(routes: readonly string[]): HeaderLine[] {
  return routes.map((route) => HeaderLine.of("Route", route));
}

function isLooseRoute(uri: string): boolean {
  const parsed = parseUri(uri);
  return "host" in parsed && parsed.params.has("lr");
}
