import {
  type Identity,
  identity,
  onRequest,
  type Packet,
  type Peer,
  type Request,
  Response,
} from "@sipkit/core";
import { TestServer, type TestServerOptions } from "@sipkit/core/testing";
import type { RegEventsOptions } from "../reg-event/options.ts";
import { RegEvents } from "../reg-event/reg-events.ts";
import { Registrar } from "../registrar.ts";
import type { RegistrarOptions } from "../registrar-options.ts";
import { ALICE } from "./registrar-kit.ts";

/** How a watcher asks. */
interface Subscribe {
  readonly uri?: string;
  /** Whose credentials it has; `"nobody"`: none. Default: alice. */
  readonly as?: string;
  readonly from?: Partial<Peer>;
  readonly callId?: string;
  readonly cseq?: number;
  /** Our tag, of a request within the dialog. */
  readonly tag?: string | undefined;
  /** Header lines; those that are given take the place of the usual ones. */
  readonly lines?: readonly string[];
  /** Which of the usual lines are left out. */
  readonly without?: readonly string[];
}

/** What came of a SUBSCRIBE. */
interface Asked {
  readonly response: Response;
  /** The NOTIFYs that followed at once. */
  readonly notifies: readonly Request[];
}

export interface Watch {
  readonly server: TestServer;
  readonly registrar: Registrar;
  readonly regEvents: RegEvents;
  /** What went past. */
  readonly passed: Request[];
  subscribe(how?: Subscribe): Promise<Asked>;
  /** Lets time pass and gives the NOTIFYs that came meanwhile. */
  after(ms: number): Promise<readonly Request[]>;
  /** Answers a NOTIFY, and gives those that follow. */
  answer(notify: Request, status?: number): Promise<readonly Request[]>;
}

let count = 0;

export async function watch(
  options: RegEventsOptions = {},
  registrarOptions: RegistrarOptions = {},
  at: TestServerOptions = {},
): Promise<Watch> {
  const registrar = new Registrar(registrarOptions);
  const regEvents = new RegEvents(registrar, options);
  const passed: Request[] = [];
  const seen = new Set<string | undefined>();
  const identify = onRequest("SUBSCRIBE", (request) => {
    const user = request.headers.get("x-user");
    if (user !== undefined) request.set(identity, identityOf(user));
  });
  const catcher = onRequest("*", (request) => {
    passed.push(request);
    return request.createResponse(499);
  });
  const server = await TestServer.start([identify, regEvents, registrar, catcher], at);
  return {
    server,
    registrar,
    regEvents,
    passed,
    async subscribe(how = {}) {
      const { sent } = await server.ask(subscribeText(how), how.from && { from: how.from });
      const [response, ...rest] = sent;
      if (!(response instanceof Response)) throw new Error(`${sent.length} packets, no response`);
      return { response, notifies: notifiesIn(rest, seen) };
    },
    async after(ms) {
      server.takeSent();
      await server.clock.advance(ms);
      return notifiesIn(server.takeSent(), seen);
    },
    async answer(notify, status = 200) {
      const { sent } = await server.ask(notify.createResponse(status));
      return notifiesIn(sent, seen);
    },
  };
}

/** Those that `seen` hasn't seen: the others are repeated. */
function notifiesIn(packets: readonly Packet[], seen: Set<string | undefined>): readonly Request[] {
  return packets.filter((packet): packet is Request => {
    if (!packet.isRequest || seen.has(packet.branch)) return false;
    seen.add(packet.branch);
    return true;
  });
}

function identityOf(user: string): Identity {
  return {
    user,
    realm: "example.com",
    addressOfRecord: `sip:${user}@example.com`,
    scheme: "digest MD5",
  };
}

function subscribeText(how: Subscribe): string {
  count += 1;
  const { uri = ALICE, as = "alice", callId = "watch", cseq = count, tag, lines = [] } = how;
  const usual = [
    `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKw${count}`,
    `From: "A Watcher" <${ALICE}>;tag=watcher`,
    `To: <${ALICE}>${tag === undefined ? "" : `;tag=${tag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} SUBSCRIBE`,
    "Max-Forwards: 70",
    "Event: reg",
    "Contact: <sip:alice@192.0.2.100:5060>",
    ...(as === "nobody" ? [] : [`X-User: ${as}`]),
  ];
  const given = new Set([...lines.map(nameOf), ...(how.without ?? [])].map((n) => n.toLowerCase()));
  const kept = usual.filter((line) => !given.has(nameOf(line).toLowerCase()));
  return [`SUBSCRIBE ${uri} SIP/2.0`, ...kept, ...lines, "", ""].join("\r\n");
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(":"));
}

/** The document of a NOTIFY. */
export function bodyOf(notify: Request | undefined): string {
  return Buffer.from(notify?.body ?? []).toString("utf8");
}

/** What a document says in short: `1 partial active: registered sip:a@b`. */
export function told(notify: Request | undefined): string {
  const body = bodyOf(notify);
  const [, version, state] = /<reginfo [^>]*version="(\d+)" state="(\w+)">/.exec(body) ?? [];
  const [, registration] = /<registration [^>]*state="(\w+)">/.exec(body) ?? [];
  const contacts = [...body.matchAll(/event="(\w+)"[^>]*>\n<uri>([^<]*)</g)];
  const list = contacts.map(([, event, uri]) => ` ${event} ${uri}`).join(",");
  return `${version} ${state} ${registration}:${list}`;
}
