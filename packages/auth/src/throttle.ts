import {
  addressBlock,
  dialogRoute,
  type Handler,
  identity,
  type Leg,
  type Packet,
  type Peer,
  type Request,
  readSipUri,
  type Server,
  SipError,
  unescapeUser,
  type Verdict,
} from "@sipkit/core";
import { plainAddress } from "./address-list.ts";
import type { AuthFailure } from "./auth-failure.ts";
import { type AuthClaim, type AuthGuard, type AuthOutcome, authGuard } from "./auth-guard.ts";
import { BackOff } from "./back-off.ts";
import { KnownSenders } from "./known-senders.ts";
import { RequestRate } from "./request-rate.ts";
import {
  type CheckedThrottleOptions,
  checkThrottleOptions,
  type ThrottleOptions,
} from "./throttle-options.ts";

/** The longest Call-ID that a phone is known again by, in characters. */
const LONGEST_CALL_ID = 256;

/** Credentials for one user that are judged at once, from senders who haven't proved themselves. */
const MAX_AT_ONCE = 16;

/** Where a request comes from, under the names that it is remembered by. */
interface Origin {
  /** The host: an IPv4 address, or the /64 of an IPv6 address. */
  readonly host: string;
  /** The connection, or the address and port. */
  readonly flow: string;
  /** The phone itself, by what only it knows: the Call-ID of its registrations. RFC 3261 §10.2 */
  readonly phone: string | undefined;
}

/**
 * Slows down who guesses passwords: after a number of wrong ones an address, a user, and a user at an address are shut
 * out for a time that doubles. It also bounds the requests without a proof that an address may send. Stands before
 * `Authorize`, which tells it what it found.
 *
 * Only a wrong password for a challenge of ours counts as a failure (an unknown user's too): a first request, an old
 * nonce, and one that nobody here made are none. Who proved himself lately, over the same connection, from the same address
 * and port, or with the same Call-ID from the same address, isn't held back for what others do; from there otherwise he
 * passes the bans of the address and of the user, as long as it isn't his own password that is guessed from there.
 *
 * What is within a dialog of ours, and what has an `identity` already, passes.
 *
 * @example
 * new ReceiveChain([new Throttle(), new Authorize(options), new Registrar(), new Proxy()]);
 */
export class Throttle implements Handler, AuthGuard {
  readonly name = "Throttle";
  readonly #options: CheckedThrottleOptions;
  readonly #addresses: BackOff;
  readonly #users: BackOff;
  readonly #pairs: BackOff;
  readonly #rate: RequestRate;
  readonly #flows: KnownSenders;
  readonly #places: KnownSenders;
  /** Credentials that are being judged, by user. */
  readonly #underWay = new Map<string, number>();
  #server: Server | undefined;

  /** Throws `SIP_BAD_OPTION`. */
  constructor(options: ThrottleOptions = {}) {
    const checked = checkThrottleOptions(options);
    const { knownFor, maxAddresses, maxUsers, maxKnown } = checked;
    const forgotten = (): void => this.#server?.count("forgottenFailures");
    const unmissed = (): void => {};
    this.#options = checked;
    this.#addresses = new BackOff(checked.perAddress, maxAddresses, forgotten);
    this.#users = new BackOff(checked.perUser, maxUsers, forgotten);
    this.#pairs = new BackOff(checked.perUserAtAddress, maxUsers, forgotten);
    // Who is forgotten here begins with a full bucket.
    this.#rate = new RequestRate(checked.rate, maxAddresses, unmissed);
    const forgottenKnown = (): void => this.#server?.count("forgottenKnownSenders");
    this.#flows = new KnownSenders(knownFor, maxKnown, forgottenKnown);
    this.#places = new KnownSenders(knownFor, maxKnown, forgottenKnown);
  }

  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet, _leg: Leg, from: Peer): Verdict {
    if (!packet.isRequest || packet.method === "ACK" || packet.method === "CANCEL") return;
    if (packet.get(dialogRoute) !== undefined || packet.get(identity) !== undefined) return;
    if (this.#options.allow.has(from.address)) return;
    const server = this.#started();
    const now = server.clock.now();
    const origin = originOf(packet, from);
    const bucket = this.#bucket(packet, origin, now);
    if (bucket === origin.host) {
      const left = this.#addresses.left(origin.host, now);
      if (left > 0) {
        server.count("bannedRequests");
        return this.#holdBack(packet, left);
      }
    }
    const taken = this.#rate.take(bucket, now);
    if (taken !== "taken") {
      server.count("unprovedOverRate");
      if (taken === "emptied") this.#tell(packet, from, "rate", 0, 0);
      return this.#holdBack(packet, this.#options.rate.interval);
    }
    packet.set(authGuard, this);
  }

  /** For authenticators: whether credentials are judged. */
  admit(request: Request, claim: AuthClaim): Verdict {
    const from = request.arrival?.from;
    if (from === undefined) return undefined;
    const server = this.#started();
    const now = server.clock.now();
    const origin = originOf(request, from);
    const { host } = origin;
    const user = userKey(claim);
    const atOnce = this.#underWay.get(user) ?? 0;
    if (!this.#comesFrom(user, origin, now)) {
      const pair = pairKey(host, user);
      const isKnown = this.#places.whose(pair, now) === user;
      const ofOthers = isKnown
        ? 0
        : Math.max(this.#users.left(user, now), this.#addresses.left(host, now));
      const left = Math.max(this.#pairs.left(pair, now), ofOthers);
      if (left > 0 || (!isKnown && atOnce >= MAX_AT_ONCE)) {
        server.count("credentialsHeldBack");
        return this.#holdBack(request, Math.max(left, 1000));
      }
    }
    this.#underWay.set(user, atOnce + 1);
    return undefined;
  }

  /** For authenticators: what credentials were that `admit` let pass. */
  settle(request: Request, claim: AuthClaim, outcome: AuthOutcome): void {
    const from = request.arrival?.from;
    if (from === undefined) return;
    const user = userKey(claim);
    const underWay = (this.#underWay.get(user) ?? 1) - 1;
    if (underWay > 0) this.#underWay.set(user, underWay);
    else this.#underWay.delete(user);
    if (outcome === "right") this.#proved(request, originOf(request, from), user);
    else if (outcome === "wrong") this.#failed(request, from, claim, user);
  }

  /** The addresses that are banned, IPv6 ones as their /64, and for how many milliseconds more. */
  bans(): readonly { readonly address: string; readonly left: number }[] {
    const now = this.#server?.clock.now() ?? 0;
    return this.#addresses.shut(now).map(([host, left]) => ({
      address: host.includes(":") ? `${host}::/64` : host,
      left,
    }));
  }

  /** Ends the ban of an address and forgets its failures. */
  pardon(address: string): void {
    this.#addresses.clear(addressBlock(plainAddress(address)));
  }

  /** Lets a user's credentials be looked at again, and forgets the failures for him; not those from one address. */
  pardonUser(user: string, realm: string): void {
    this.#users.clear(userKey({ user, realm }));
  }

  #proved(request: Request, origin: Origin, user: string): void {
    const now = this.#started().clock.now();
    const { host, flow, phone } = origin;
    const pair = pairKey(host, user);
    // What was mistyped here is forgiven, and no more: else an account of one's own, or the user's own phone
    // elsewhere, would make room for further guesses. A phone that was known has mistyped nothing.
    if (!this.#comesFrom(user, origin, now)) {
      const failures = this.#pairs.failures(pair, now);
      this.#pairs.clear(pair);
      this.#users.forgive(user, failures);
      this.#addresses.forgive(host, failures);
    }
    // The request, and the one before it that was challenged.
    this.#rate.putBack(this.#bucket(request, origin, now), 2);
    this.#flows.add(flow, user, now);
    if (phone !== undefined) this.#flows.add(phone, user, now);
    this.#places.add(pair, user, now);
    const claimed = claimedUser(request);
    if (claimed !== undefined) this.#places.add(claimKey(host, claimed), user, now);
  }

  #failed(request: Request, from: Peer, claim: AuthClaim, user: string): void {
    const server = this.#started();
    const now = server.clock.now();
    const { host, flow, phone } = originOf(request, from);
    for (const sender of [flow, phone]) {
      if (sender !== undefined && this.#flows.whose(sender, now) === user) {
        this.#flows.delete(sender);
      }
    }
    const bannedFor = this.#addresses.fail(host, now);
    const lockedFor = Math.max(
      this.#pairs.fail(pairKey(host, user), now),
      this.#users.fail(user, now),
    );
    if (bannedFor > 0) server.count("bannedAddresses");
    if (lockedFor > 0) server.count("lockedUsers");
    this.#tell(request, from, "credentials", bannedFor, lockedFor, claim.user);
  }

  /** Whether a sender is one that a user proved himself from. */
  #comesFrom(user: string, { flow, phone }: Origin, now: number): boolean {
    if (this.#flows.whose(flow, now) === user) return true;
    return phone !== undefined && this.#flows.whose(phone, now) === user;
  }

  /**
   * Whose bucket a request is taken out of. Who is known has one of his own, so that his neighbours can't empty it: by
   * the way he comes, or by the name that he claims, which is why that one is no deeper than theirs.
   */
  #bucket(request: Request, { host, flow, phone }: Origin, now: number): string {
    if (this.#flows.whose(flow, now) !== undefined) return flow;
    if (phone !== undefined && this.#flows.whose(phone, now) !== undefined) return phone;
    const claimed = claimedUser(request);
    if (claimed === undefined) return host;
    const claim = claimKey(host, claimed);
    return this.#places.whose(claim, now) === undefined ? host : claim;
  }

  #holdBack(request: Request, left: number): Verdict {
    const { answer } = this.#options;
    if (answer === "drop") return "drop";
    const after = { "Retry-After": String(Math.ceil(left / 1000)) };
    return request.createResponse(answer, {
      stateless: true,
      ...(answer === 503 && { headers: after }),
    });
  }

  #tell(
    request: Request,
    { address, port, protocol }: Peer,
    reason: AuthFailure["reason"],
    bannedFor: number,
    lockedFor: number,
    user?: string,
  ): void {
    const { onFailure } = this.#options;
    if (onFailure === undefined) return;
    const server = this.#started();
    const failure: AuthFailure = {
      at: server.clock.wall(),
      reason,
      address: plainAddress(address),
      port,
      protocol,
      method: request.method,
      ...(user !== undefined && { user }),
      bannedFor,
      lockedFor,
    };
    try {
      onFailure(failure);
    } catch (cause) {
      const error = new SipError("SIP_LISTENER", "onFailure threw", { cause });
      server.report(error, { packet: request, handler: this.name });
    }
  }

  #started(): Server {
    if (this.#server !== undefined) return this.#server;
    throw new SipError("SIP_NOT_STARTED", "the throttle was not started");
  }
}

function originOf(request: Request, { address, port, connection }: Peer): Origin {
  const plain = plainAddress(address);
  const host = addressBlock(plain);
  const flow = connection === undefined ? `${plain} ${port}` : `connection ${connection.id}`;
  const isPhone = request.method === "REGISTER" && request.callId.length <= LONGEST_CALL_ID;
  return { host, flow, phone: isPhone ? `${host}\0phone\0${request.callId}` : undefined };
}

// A realm is the operator's own and an address the network's, so that what a stranger writes stands last.
function userKey({ user, realm }: AuthClaim): string {
  return `${realm}\0${user}`;
}

function pairKey(host: string, user: string): string {
  return `${host}\0pair\0${user}`;
}

function claimKey(host: string, claimed: string): string {
  return `${host}\0claim\0${claimed}`;
}

/** Who From says that it is. */
function claimedUser(request: Request): string | undefined {
  const user = readSipUri(request.from.uri)?.user;
  return user === undefined ? undefined : unescapeUser(user);
}
