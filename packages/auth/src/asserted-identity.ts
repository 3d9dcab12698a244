import {
  type Awaitable,
  from as fromField,
  type Handler,
  type Identity,
  identity,
  isPromise,
  type Leg,
  type Outcome,
  type Packet,
  ParseError,
  type Peer,
  type Request,
  type Server,
  SipError,
} from "@sipkit/core";
import type { MayRegister } from "./authorize-options.ts";
import { addressesOf, addressUri } from "./owned-addresses.ts";
import { type TrustedPeers, trustedPeer } from "./trusted-peers.ts";

const ASSERTED = "P-Asserted-Identity";
const PREFERRED = "P-Preferred-Identity";

/** Requests that have no such header. RFC 3325 §9.1, RFC 5876 §3.2 */
const WITHOUT: ReadonlySet<string> = new Set(["ACK", "CANCEL", "REGISTER", "INFO", "PRACK"]);

/** Values that a user prefers and that are looked at. */
const MAX_PREFERRED = 2;

export interface AssertedIdentityOptions {
  /** Whose assertions are believed, and who is told what users want to be kept private. Default: nobody. */
  readonly trusted?: TrustedPeers;
  /** The addresses that users own besides their own, and may prefer to be announced as. Default: none. */
  readonly owned?: MayRegister;
  /**
   * What is asserted of a user, in the place of his address-of-record or the one that he prefers: values as
   * `"Alice" <sip:alice@example.com>` and `<tel:+49301234>`. `undefined`: nothing.
   */
  readonly assert?: (
    identity: Identity,
    request: Request,
  ) => Awaitable<string | readonly string[] | undefined>;
}

/**
 * Tells the servers and phones behind us who sends a request, in P-Asserted-Identity: of whom we know it, his
 * address-of-record, or the one of his own that he names in P-Preferred-Identity. What strangers write into either is taken
 * off, and so is what phones write into responses; what trusted peers assert stays. Where a user asks for it
 * (`Privacy: id`), only trusted peers are told. Stands behind what proves who sends.
 *
 * RFC 3325 §5, §7, RFC 5876
 *
 * @example
 * new ReceiveChain([trusted, new Authorize(options), new AssertedIdentity({ trusted }), new Proxy()]);
 */
export class AssertedIdentity implements Handler {
  readonly name = "AssertedIdentity";
  readonly #options: AssertedIdentityOptions;
  readonly #owned: ReturnType<typeof addressesOf>;
  #server: Server | undefined;

  constructor(options: AssertedIdentityOptions = {}) {
    this.#options = options;
    this.#owned = addressesOf(options.owned ?? {});
  }

  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet, _leg: Leg, from: Peer): Outcome {
    if (!packet.isRequest) return undefined;
    const isTrusted = packet.get(trustedPeer) !== undefined || this.#options.trusted?.has(from);
    // Between a user and us, and nowhere else.
    const preferred = preferredOf(packet);
    packet.headers.delete(PREFERRED);
    if (isTrusted) return undefined;
    packet.headers.delete(ASSERTED);
    const proved = packet.get(identity);
    if (proved === undefined || WITHOUT.has(packet.method)) return undefined;
    const values = this.#valuesOf(proved, packet, preferred);
    return isPromise(values) ? values.then((known) => write(packet, known)) : write(packet, values);
  }

  beforeSend(packet: Packet, _leg: Leg, to: Peer): void {
    const { headers } = packet;
    if (!packet.isRequest) {
      // It can't be told who of those behind us wrote it.
      headers.delete(ASSERTED);
      return;
    }
    if (!headers.has(ASSERTED) || !wantsPrivacy(packet)) return;
    if (!this.#options.trusted?.reachedAt(to)) headers.delete(ASSERTED);
  }

  #valuesOf(
    proved: Identity,
    request: Request,
    preferred: readonly string[],
  ): Awaitable<string | readonly string[] | undefined> {
    const { assert } = this.#options;
    if (assert !== undefined) return assert(proved, request);
    const server = this.#server;
    if (server === undefined) {
      throw new SipError("SIP_NOT_STARTED", "the asserter was not started");
    }
    const own = `<${addressUri(proved.addressOfRecord)}>`;
    const wanted = preferred
      .map((uri) => server.addressOfRecord(uri))
      .find((address) => address !== undefined && address !== proved.addressOfRecord);
    if (wanted === undefined) return own;
    const pick = (addresses: string | readonly string[] | undefined): string => {
      const list = typeof addresses === "string" ? [addresses] : (addresses ?? []);
      const isHis = list.some((address) => server.addressOfRecord(address) === wanted);
      return isHis ? `<${addressUri(wanted)}>` : own;
    };
    const owned = this.#owned(proved.user, proved.realm);
    return isPromise(owned) ? owned.then(pick) : pick(owned);
  }
}

/** RFC 3325 §9.2: at most a SIP and a tel URI. What can't be read is no preference. */
function preferredOf({ headers }: Request): readonly string[] {
  if (!headers.has(PREFERRED)) return [];
  return headers
    .getAll(PREFERRED)
    .slice(0, MAX_PREFERRED)
    .flatMap((value) => {
      try {
        return [fromField.parse(value).uri];
      } catch (error) {
        if (error instanceof ParseError) return [];
        throw error;
      }
    });
}

/** RFC 3325 §9.3 */
function wantsPrivacy({ headers }: Request): boolean {
  return headers.getAll("Privacy").some((value) => /(?:^|[;,\s])id(?:$|[;,\s])/i.test(value));
}

function write({ headers }: Request, values: string | readonly string[] | undefined): undefined {
  if (values !== undefined && values.length > 0) headers.set(ASSERTED, values);
}
