import {
  asRequestUri,
  contact,
  detach,
  type FlowRef,
  type Leg,
  ParseError,
  parseSipUri,
  Reject,
  Request,
  type RequestOptions,
  type Response,
  recordRoute,
  type Server,
} from "@sipkit/core";

/** Characters of all that is kept of a dialog, at most: what a phone sends is a few hundred. */
const LONGEST = 4096;

/** Where requests in a dialog go. */
export interface Way {
  /** The subscriber's Contact. */
  readonly target: string;
  /** Where the SUBSCRIBE came from, when no proxy was between: then everything goes there. */
  readonly flow: FlowRef | undefined;
}

/** The key of the dialog that a request of the subscriber's names. */
export function dialogKey(request: Request, localTag: string | undefined): string {
  return `${request.callId}\n${localTag}\n${request.fromTag ?? ""}`;
}

/** The server's end of a dialog that a SUBSCRIBE opened. RFC 3261 §12 */
export class Dialog {
  readonly key: string;
  readonly #callId: string;
  /** Our From, which is the subscriber's To, and our To. */
  readonly #from: string;
  readonly #to: string;
  readonly #contact: string;
  readonly #route: readonly string[];
  /** The URI of the first hop, where that is a strict router. */
  readonly #strict: string | undefined;
  readonly #isStranger: boolean;
  #way: Way;
  #sent = 0;
  #received: number;

  /**
   * `answer`: the 200, with our Contact. A stranger's headers aren't believed: what is for him goes where he sent from.
   *
   * RFC 3261 §12.1.1
   */
  constructor(request: Request, answer: Response, server: Server, isStranger: boolean) {
    const { headers } = request;
    this.key = detach(dialogKey(request, answer.toTag));
    this.#callId = detach(request.callId);
    this.#from = detach(answer.headers.get("to") ?? "");
    this.#to = detach(headers.get("from") ?? "");
    this.#contact = answer.headers.get("contact") ?? "";
    const [first] = headers.readAll(recordRoute);
    this.#route = headers.getAll("record-route").map(detach);
    this.#strict = first && strictRouter(first.uri);
    this.#isStranger = isStranger;
    this.#received = request.cseq.number;
    this.#way = this.#wayOf(request, server);
    const kept = [this.key, this.#from, this.#to, this.#way.target, ...this.#route];
    // A quoted string may hold it, and then can't be sent.
    if (kept.some((text) => text.includes("\0"))) throw new ParseError("NUL In A Header");
    if (kept.reduce((sum, text) => sum + text.length, 0) > LONGEST) {
      throw new Reject(403, { reason: "Dialog Too Long" });
    }
  }

  /** The connection that it is bound to. */
  get connection(): number | undefined {
    return this.#way.flow?.connection;
  }

  /** Takes a further request of the subscriber's; `false`: it is out of order. RFC 3261 §12.2.2 */
  takes({ cseq }: Request): boolean {
    if (cseq.number <= this.#received) return false;
    this.#received = cseq.number;
    return true;
  }

  /** Where a request of his says that he is; `undefined`: it says nothing. Throws a `ParseError`. RFC 3261 §12.2.2 */
  wayOf(request: Request, server: Server): Way | undefined {
    return request.headers.has("contact") ? this.#wayOf(request, server) : undefined;
  }

  get way(): Way {
    return this.#way;
  }

  set way(way: Way) {
    this.#way = way;
  }

  /** A NOTIFY, and how it is sent. RFC 3261 §12.2.1.1 */
  notify(headers: Readonly<Record<string, string>>, body?: string): [Request, RequestOptions] {
    this.#sent += 1;
    const { target, flow } = this.#way;
    const strict = this.#strict;
    const uri = strict ?? target;
    const route = strict === undefined ? this.#route : [...this.#route.slice(1), `<${target}>`];
    const request = new Request("NOTIFY", uri, {
      headers: {
        ...(route.length > 0 && { Route: route }),
        "Max-Forwards": "70",
        From: this.#from,
        To: this.#to,
        "Call-ID": this.#callId,
        CSeq: `${this.#sent} NOTIFY`,
        Contact: this.#contact,
        ...headers,
      },
      ...(body !== undefined && { body }),
    });
    if (flow !== undefined) return [request, { target: { ...NOWHERE, uri, flow } }];
    return [request, strict === undefined ? {} : { to: strict }];
  }

  #wayOf(request: Request, server: Server): Way {
    const isDirect = this.#isStranger || request.headers.getAll("via").length === 1;
    return {
      target: detach(contactIn(request)),
      flow: isDirect ? server.flowOf(request) : undefined,
    };
  }
}

/** What a target needs besides its flow. */
const NOWHERE = { q: 1, route: [], expiresAt: 0 };

/** The one address that a subscriber says he is reached at. RFC 3261 §12.1.1, §8.1.1.8 */
function contactIn({ headers }: Request): string {
  const [only, ...more] = headers.readAll(contact);
  if (only === undefined || only === "*" || more.length > 0) throw malformed();
  try {
    parseSipUri(only.uri);
    return asRequestUri(only.uri);
  } catch {
    throw malformed();
  }
}

function malformed(): ParseError {
  return new ParseError("A SUBSCRIBE Has One SIP URI As Contact", { header: "Contact" });
}

/** A hop's URI, when it hands on a request by RFC 2543. RFC 3261 §12.2.1.1 */
function strictRouter(uri: string): string | undefined {
  return parseSipUri(uri).params.has("lr") ? undefined : detach(asRequestUri(uri));
}

/**
 * Where we are reached in the dialog of a request that came in there, as a Contact.
 *
 * RFC 3261 §12.1.1: who asks securely is answered so. RFC 7118 §5.2: plain or secure, a WebSocket is "ws" in a URI.
 */
export function contactOf({ uri }: Request, { protocol, sentBy }: Leg): string {
  const isSecure = protocol === "tls" || protocol === "wss";
  const isSips = isSecure && /^sips:/i.test(uri);
  const name = protocol === "wss" ? "ws" : protocol;
  const isSaid = name === "udp" || (name === "tls" && isSips);
  return `<${isSips ? "sips" : "sip"}:${sentBy}${isSaid ? "" : `;transport=${name}`}>`;
}
