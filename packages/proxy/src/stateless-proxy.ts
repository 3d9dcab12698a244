import {
  type Handler,
  type Leg,
  type Method,
  type Packet,
  ParseError,
  type Peer,
  type Request,
  Response,
  type Server,
  SipError,
  type Verdict,
  type Via,
  via,
} from "@sipkit/core";
import { upstreamStatus } from "./best-response.ts";
import { statusOf } from "./branch.ts";
import { copyForTarget, yieldToStrictRouter } from "./forward.ts";
import { forwardedMethods } from "./forwarded-methods.ts";
import { loopHash } from "./loop.ts";
import { incomingBreadth } from "./max-breadth.ts";
import { isRecordRouted, RecordRoute } from "./record-route.ts";
import { type BranchFacts, StatelessBranches } from "./stateless-branches.ts";
import { StatelessContacts } from "./stateless-contacts.ts";
import { choosePassage } from "./stateless-passage.ts";
import { ForwardRecord, ForwardRecords } from "./stateless-records.ts";
import { nextMaxForwards, refusal } from "./validate.ts";

/** How a {@link StatelessProxy} forwards. */
export interface StatelessProxyOptions {
  /** Whether we stay on the path of the dialogs that are opened through us. Default: true. */
  readonly recordRoute?: boolean;
  /**
   * Whether the Contacts of what passes become URIs of ours, so that neither side learns the other's addresses: `true`
   * where it comes in on one leg and goes out on another, `"always"` everywhere. Who has been given such a URI may send
   * to what it stands for, also outside of the call, as a transfer does. Default: false.
   */
  readonly rewriteContact?: boolean | "always";
  /**
   * Makes branches and rewritten Contacts unforgeable. Give one, and they outlive a restart; legs are known by their
   * place in `legs`. Default: a random one.
   */
  readonly secret?: string | Uint8Array;
  /**
   * Of how many requests it is remembered where they went, so that retransmissions, CANCEL and ACK go the same way.
   * Default: 50,000.
   */
  readonly maxRecords?: number;
}

/** What there is from the start on. */
interface Life {
  readonly server: Server;
  readonly branches: StatelessBranches;
  readonly records: ForwardRecords;
  readonly contacts: StatelessContacts | undefined;
}

const SECRET_BYTES = 32;
const MAX_BREADTH = 60;

/**
 * A proxy without transactions: it sends requests and responses on and forgets them. It retransmits nothing, sends no
 * 100, and tries one target alone; the ends must see to the rest. What may be forwarded is what a `Proxy` forwards, and
 * also what comes to a Contact that it has rewritten.
 *
 * A location table is not the time-invariant data by which a stateless proxy must choose. So it remembers for a while
 * where each request went, and nothing else of it.
 *
 * RFC 3261 §16.11
 *
 * @example
 * new ReceiveChain([new Authorize({ realm, credentials }), new Registrar(), new StatelessProxy()]);
 */
export class StatelessProxy implements Handler {
  readonly name = "StatelessProxy";
  readonly allows: readonly Method[] = forwardedMethods;
  readonly takesCancel = true;
  readonly #options: Required<Omit<StatelessProxyOptions, "secret">>;
  readonly #secret: string | Uint8Array | undefined;
  #life: Life | undefined;

  constructor(options: StatelessProxyOptions = {}) {
    const { recordRoute = true, rewriteContact = false, secret, maxRecords = 50_000 } = options;
    if (!(Number.isInteger(maxRecords) && maxRecords > 0)) {
      throw new SipError("SIP_BAD_OPTION", "maxRecords must be a positive integer");
    }
    if (secret?.length === 0) throw new SipError("SIP_BAD_OPTION", "secret must not be empty");
    this.#options = { recordRoute, rewriteContact, maxRecords };
    this.#secret = secret;
  }

  /** Of how many requests it is remembered now where they went. */
  get rememberedForwards(): number {
    return this.#life?.records.size ?? 0;
  }

  start(server: Server): void {
    const { rewriteContact, maxRecords } = this.#options;
    const secret = this.#secret ?? server.random.bytes(SECRET_BYTES);
    this.#life = {
      server,
      branches: new StatelessBranches(server, secret),
      records: new ForwardRecords(server, maxRecords),
      contacts:
        rewriteContact === false
          ? undefined
          : new StatelessContacts(server, secret, rewriteContact === "always"),
    };
  }

  close(): void {
    this.#life?.records.close();
  }

  receive(packet: Packet, leg: Leg): Verdict {
    const life = this.#life;
    if (life === undefined) throw new SipError("SIP_NOT_STARTED", "the proxy was not started");
    return packet.isRequest ? this.#request(life, packet, leg) : this.#response(life, packet, leg);
  }

  #request(life: Life, request: Request, leg: Leg): Verdict {
    const { server, branches, records, contacts } = life;
    const id = branches.idOf(request, request.topmostVia);
    const known = records.find(id, request.method);
    const passage = known ?? choosePassage(request, leg, server, contacts);
    if (passage === undefined) return undefined;
    if (passage instanceof Response) return refuse(server, request, passage);

    const vias = request.headers.getAll("via");
    const hash = loopHash(request, [[passage.destination]], passage.standing !== "looked up");
    const refused = refusal(request, vias, hash, server, true);
    if (refused !== undefined) return refuse(server, request, refused);
    const breadth = incomingBreadth(request, MAX_BREADTH);
    if (breadth < 1) {
      server.count("breadthExhausted");
      return refuse(server, request, request.createResponse(440, { stateless: true }));
    }
    // §16.10: it was cancelled while somebody before us pondered.
    if (request.method === "INVITE" && request.signal.aborted) return request.createResponse(487);

    const came: BranchFacts = { id, leg, connection: request.arrival?.from.connection?.id };
    let record = known;
    if (record === undefined) {
      record = new ForwardRecord(id, request.method, passage, branches.make(came, hash));
      // An ACK or a CANCEL has nothing that belongs to it.
      if (request.method !== "ACK" && request.method !== "CANCEL") records.add(record);
    } else records.touch(record);
    return this.#send(life, { request, record, came, breadth, isDirect: vias.length === 1 });
  }

  /** §16.6, without a transaction. */
  #send(life: Life, { request, record, came, breadth, isDirect }: Sending): Verdict {
    const { server, records, contacts } = life;
    const { destination, standing, way, leg, branch } = record;
    const { target } = destination;
    const copy = copyForTarget(request, {
      uri: destination.uri,
      maxForwards: nextMaxForwards(request),
      maxBreadth: breadth,
      keepRoutes: standing !== "looked up",
    });
    const strictRouter = target === undefined ? yieldToStrictRouter(copy) : undefined;
    const hasDialog = request.toTag !== undefined;
    const isRouted = this.#options.recordRoute && isRecordRouted(request.method, hasDialog);
    let isOver = false;
    let verdict: Verdict = "forwarded";
    server.deliver(copy, {
      branch,
      ...(target === undefined ? {} : { target }),
      ...(strictRouter === undefined ? {} : { to: strictRouter }),
      ...(leg === undefined ? {} : { leg }),
      ...way,
      prepare: (prepared, out, to) => {
        if (target?.flow === undefined) record.way ??= { leg: out, to: withoutConnection(to) };
        if (isRouted) {
          const flow = isDirect ? server.flowOf(request) : undefined;
          new RecordRoute(server, came.leg, flow).add(prepared, out, target?.flow);
        }
        contacts?.rewrite(prepared, came.leg, out);
      },
      failed: (error) => {
        records.delete(record);
        const status = upstreamStatus(statusOf(error), standing === "looked up");
        const refused = refuse(
          server,
          request,
          request.createResponse(status, { stateless: true }),
        );
        if (!isOver) verdict = refused;
        else if (refused instanceof Response) this.#answer(server, refused, came);
      },
    });
    isOver = true;
    return verdict;
  }

  #response(life: Life, response: Response, leg: Leg): Verdict {
    const { server, branches, records, contacts } = life;
    const [, written] = response.headers.getAll("via");
    const next = written === undefined ? undefined : readVia(written);
    const branch = response.topmostVia?.branch;
    // What isn't the answer to something that we have forwarded is no business of ours.
    if (next === undefined || branch === undefined) return undefined;
    const came = branches.read(branch, response, next);
    if (came === undefined) return undefined;
    records.answered(came.id, response.status);
    response.headers.shift("via");
    contacts?.rewrite(response, leg, came.leg);
    this.#answer(server, response, came);
    return "forwarded";
  }

  /** Sends a response by its topmost Via, over the connection that the request came by. RFC 3261 §16.11, §18.2.2 */
  #answer(server: Server, response: Response, { leg, connection }: BranchFacts): void {
    const { protocol, address, port } = leg;
    // Of a flow over a connection, the number tells which one it is.
    const flow =
      connection === undefined
        ? undefined
        : server.flowTo(leg, {
            protocol,
            address,
            port,
            connection: { id: connection, open: true },
          });
    server.deliver(unbound(response), { leg, ...(flow === undefined ? {} : { flow }) });
  }
}

/** What is sent on. */
interface Sending {
  readonly request: Request;
  readonly record: ForwardRecord;
  readonly came: BranchFacts;
  readonly breadth: number;
  /** Whether it came straight from its sender. */
  readonly isDirect: boolean;
}

/** An answer, or for an ACK, which has none, its end. */
function refuse(server: Server, request: Request, response: Response): Verdict {
  if (request.method !== "ACK") return response;
  server.count("droppedAcks");
  return "drop";
}

function readVia(value: string): Via | undefined {
  try {
    return via.parse(value);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function withoutConnection({ protocol, address, port, domain }: Peer): Peer {
  return { protocol, address, port, ...(domain === undefined ? {} : { domain }) };
}

/** A response of ours that came too late for its request's verdict: sent as one that answers nothing that is kept here. */
function unbound(response: Response): Response {
  if (response.request === undefined) return response;
  return new Response(response.status, { reason: response.reason, headers: response.headers });
}
