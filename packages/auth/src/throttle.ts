import {
  addressBlock,
  dialogRoute,
  type Handler,
  identity,
  type Leg,
  type Packet,
  type Peer,
  type Request,
  type Server,
  SipError,
  type Verdict,
} from "@sipkit/core";
import type { AuthFailure } from "./auth-failure.ts";
import { type AuthClaim, type AuthGuard, type AuthOutcome, authGuard } from "./auth-guard.ts";
import { BackOff } from "./back-off.ts";
import { type Origin, originOf, pairKey, userKey } from "./origin.ts";
import { plainAddress } from "./plain-address.ts";
import { ProvedUsers } from "./proved-users.ts";
import { RequestRate } from "./request-rate.ts";
import {
  type CheckedThrottleOptions,
  checkThrottleOptions,
  type ThrottleOptions,
} from "./throttle-options.ts";

/** Credentials for one user that are judged at once, from senders who haven't proved themselves. */
const MAX_AT_ONCE = 16;

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
  readonly #proved: ProvedUsers;
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
    this.#proved = new ProvedUsers(knownFor, maxKnown, forgottenKnown);
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
    const bucket = this.#proved.bucketOf(origin, now);
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
    if (!this.#proved.isSender(user, origin, now)) {
      const pair = pairKey(host, user);
      const isKnown = this.#proved.isAt(host, user, now);
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
    if (outcome === "right") this.#succeeded(originOf(request, from), user);
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

  #succeeded(origin: Origin, user: string): void {
    const now = this.#started().clock.now();
    const { host } = origin;
    const pair = pairKey(host, user);
    // What was mistyped here is forgiven, and no more: else an account of one's own, or the user's own phone
    // elsewhere, would make room for further guesses. A phone that was known has mistyped nothing.
    if (!this.#proved.isSender(user, origin, now)) {
      const failures = this.#pairs.failures(pair, now);
      this.#pairs.clear(pair);
      this.#users.forgive(user, failures);
      this.#addresses.forgive(host, failures);
    }
    // The request, and the one before it that was challenged.
    this.#rate.putBack(this.#proved.bucketOf(origin, now), 2);
    this.#proved.add(user, origin, now);
  }

  #failed(request: Request, from: Peer, claim: AuthClaim, user: string): void {
    const server = this.#started();
    const now = server.clock.now();
    const origin = originOf(request, from);
    const { host } = origin;
    this.#proved.distrust(user, origin, now);
    const bannedFor = this.#addresses.fail(host, now);
    const lockedFor = Math.max(
      this.#pairs.fail(pairKey(host, user), now),
      this.#users.fail(user, now),
    );
    if (bannedFor > 0) server.count("bannedAddresses");
    if (lockedFor > 0) server.count("lockedUsers");
    this.#tell(request, from, "credentials", bannedFor, lockedFor, claim.user);
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
