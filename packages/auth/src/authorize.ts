import {
  type Awaitable,
  authorization,
  dialogRoute,
  type Handler,
  type Identity,
  identity,
  isPromise,
  type Outcome,
  type Packet,
  type PacketKey,
  packetKey,
  proxyAuthorization,
  type Request,
  type Response,
  type Server,
  SipError,
} from "@sipkit/core";
import { authGuard, judgeGuarded } from "./auth-guard.ts";
import { authenticationInfo } from "./authentication-info.ts";
import { type AuthorizeOptions, type CheckedOptions, checkOptions } from "./authorize-options.ts";
import type { TokenProof } from "./bearer.ts";
import { Challenger } from "./challenger.ts";
import { type Ha1Source, ha1Source } from "./credentials.ts";
import { HtdigestFile } from "./htdigest.ts";
import { Permissions } from "./permissions.ts";
import { type Judgement, type Proof, Realm } from "./realm.ts";
import {
  type CredentialsField,
  receivedCredentials,
  removeCredentials,
} from "./received-credentials.ts";
import { asProxy, asServer, isForServer, type Role } from "./role.ts";
import { type TokenFault, Tokens } from "./tokens.ts";
import { trustedPeer } from "./trusted-peers.ts";
import { isUriOf } from "./uri-match.ts";

const fields: readonly CredentialsField[] = [authorization, proxyAuthorization];

interface Started {
  readonly server: Server;
  readonly realm: Realm;
  readonly permissions: Permissions;
}

/**
 * Lets only those in who prove who they are, by digest authentication: the others are challenged, with 401 where the
 * request is for this server itself (a REGISTER for one of its domains, or a request-URI of ours without a user), else
 * with 407. Whoever passes has an `identity` on his requests, and this realm's credentials are taken out of them.
 *
 * Never challenged: ACK, CANCEL, and requests within a dialog that was opened through this server (a valid signed
 * Route), which pass without an identity; and those of `TrustedPeers`, which have one.
 *
 * Refused with 403: whoever proved who he is and registers another's address-of-record (see `mayRegister`) or calls
 * under another's name (see `filter`). With 400: malformed credentials, and a digest whose `uri` is neither the
 * request-URI nor this server's.
 *
 * Deviation: §10.3 looks at the Require header before it authenticates (steps 2 and 3), here it is the other way
 * round, as §8.2 has it for all requests: strangers learn nothing of what is supported.
 *
 * RFC 3261 §22, RFC 7616, RFC 8760
 *
 * @example
 * new ReceiveChain([
 *   new Authorize({ realm: "example.com", credentials: { alice: "secret" } }),
 *   new Registrar(),
 *   new Proxy(),
 * ]);
 */
export class Authorize implements Handler {
  readonly name = "Authorize";
  readonly #options: CheckedOptions;
  readonly #sources: readonly Ha1Source[];
  readonly #tokens: Tokens | undefined;
  readonly #challenger: Challenger;
  /** Left on requests whose answer is to tell what became of their credentials for this realm. */
  readonly #proof: PacketKey<Proof> = packetKey("digest proof");
  /** Only where there is something to add to what is sent: else nobody asks for it. */
  readonly beforeSend?: NonNullable<Handler["beforeSend"]>;
  #started: Started | undefined;

  /** Throws `SIP_BAD_OPTION` or `SIP_BAD_DOMAIN`. */
  constructor(options: AuthorizeOptions) {
    this.#options = checkOptions(options);
    const { realm, credentials, htdigest, bearer } = options;
    this.#tokens = bearer && new Tokens(bearer, realm);
    const { userhash, algorithms, authenticationInfo: informs } = this.#options;
    if (informs) this.beforeSend = (packet) => this.#inform(packet);
    const indexed = userhash ? algorithms.hashes : [];
    this.#sources = [
      ...(credentials === undefined ? [] : [ha1Source(credentials, realm, indexed)]),
      ...(htdigest === undefined ? [] : [new HtdigestFile(htdigest, realm, indexed)]),
    ];
    this.#challenger = new Challenger(this.#options, this.#tokens, this.#sources.length > 0);
  }

  /** Reads the htdigest file; throws `SIP_BAD_HTDIGEST` when it can't. */
  start(server: Server): void | Promise<void> {
    for (const source of this.#sources) source.start?.(server);
    const forgotten = (): void => this.#started?.server.count("forgottenNonces");
    this.#started = {
      server,
      // Started again, it still knows which nonces were used.
      realm: this.#started?.realm ?? new Realm(this.#options, this.#sources, server, forgotten),
      permissions: new Permissions(this.#options, server),
    };
    return this.#tokens?.start(server);
  }

  receive(packet: Packet): Outcome {
    if (!packet.isRequest || packet.method === "CANCEL") return undefined;
    const started = this.#started;
    if (started === undefined) {
      throw new SipError("SIP_NOT_STARTED", "the authenticator was not started");
    }
    const { realm: name, algorithms, userhash, digestUri } = this.#options;
    // §22.1: an ACK can't be answered; within a dialog the signed Route is the proof.
    if (
      packet.method === "ACK" ||
      packet.get(dialogRoute) !== undefined ||
      packet.get(trustedPeer) !== undefined
    ) {
      return this.#pass(packet);
    }
    const isOurs = isForServer(packet, started.server);
    const role = isOurs ? asServer : asProxy;
    const offered = algorithms.of(packet);
    const credentials = receivedCredentials(packet, role.field, { realm: name, offered, userhash });
    const token = credentials === undefined && this.#tokens?.of(packet, role.field);
    if (token) return this.#judgeToken(packet, role, started, token);
    if (credentials === undefined) {
      return this.#isWelcome(packet, started.server, isOurs)
        ? this.#pass(packet)
        : this.#challenger.challenge(packet, role, started);
    }
    if (!isUriOf(credentials.uri, packet, started.server, digestUri)) return foreignUri(packet);

    const { realm, server } = started;
    const now = server.clock.now();
    const guard = packet.get(authGuard);
    if (guard === undefined) {
      return this.#conclude(packet, role, started, realm.judge(packet, credentials, now));
    }
    const claim = { user: credentials.user, realm: name };
    const refusal = guard.admit(packet, claim);
    if (refusal) return refusal;
    const judge = (): Awaitable<Judgement> => realm.judge(packet, credentials, now);
    return this.#conclude(packet, role, started, judgeGuarded(guard, packet, claim, judge));
  }

  /** How many used nonces are remembered: 0 again when all have expired. */
  get rememberedNonces(): number {
    return this.#started?.realm.remembered(this.#started.server.clock.now()) ?? 0;
  }

  #conclude(
    request: Request,
    role: Role,
    started: Started,
    judgement: Awaitable<Judgement>,
  ): Outcome {
    return isPromise(judgement)
      ? judgement.then((known) => this.#decide(request, role, started, known))
      : this.#decide(request, role, started, judgement);
  }

  #decide(request: Request, role: Role, started: Started, judgement: Judgement): Outcome {
    if (typeof judgement === "string") {
      const isStale = judgement === "stale" || judgement === "old";
      started.server.count(isStale ? "staleNonces" : "wrongCredentials");
      return this.#challenger.challenge(request, role, started, { isStale });
    }
    const { user, credentials } = judgement;
    if (this.#options.authenticationInfo && role === asServer) request.set(this.#proof, judgement);
    const scheme = `digest ${credentials.algorithm}`;
    return this.#admit(request, role, started, started.permissions.identityOf(user, scheme));
  }

  #judgeToken(request: Request, role: Role, started: Started, token: string): Outcome {
    const { server, permissions } = started;
    const worth = this.#tokens?.judge(token, server) ?? "invalid_token";
    const decide = (known: Exclude<TokenFault, "none"> | TokenProof): Outcome => {
      if (typeof known === "string") {
        server.count("wrongTokens");
        return this.#challenger.challenge(request, role, started, { token: known });
      }
      const { user } = known;
      // Nobody guesses tokens, so that only what is right is worth telling.
      request.get(authGuard)?.settle(request, { user, realm: this.#options.realm }, "right");
      return this.#admit(request, role, started, permissions.identityOf(user, "bearer"));
    };
    return isPromise(worth) ? worth.then(decide) : decide(worth);
  }

  #admit(request: Request, role: Role, started: Started, proved: Identity): Outcome {
    request.set(identity, proved);
    this.#pass(request);
    const isAllowed = started.permissions.allow(request, proved, role === asServer);
    return isPromise(isAllowed)
      ? isAllowed.then((allowed) => unlessAllowed(request, allowed))
      : unlessAllowed(request, isAllowed);
  }

  /** RFC 3261 §20.6: a 2xx may tell what became of its request's credentials. */
  #inform(packet: Packet): void {
    if (packet.isRequest || packet.status < 200 || packet.status >= 300) return;
    const proved = packet.request?.get(this.#proof);
    const started = this.#started;
    if (proved === undefined || started === undefined) return;
    const info = started.realm.infoOf(proved, packet.body, started.server.clock.now());
    if (info.size > 0) packet.headers.write(authenticationInfo, info);
  }

  /** Lets a request through: what it has for this realm goes, so that nobody behind us can work on it. */
  #pass(request: Request): undefined {
    removeCredentials(request, fields, this.#options.realm);
    this.#tokens?.remove(request);
  }

  /** Whether a stranger may send this. */
  #isWelcome(request: Request, server: Server, isOurs: boolean): boolean {
    const { allowPings, allowCallsToUs } = this.#options;
    if (isOurs) return allowPings && request.method === "OPTIONS";
    return (
      allowCallsToUs &&
      request.method !== "REGISTER" &&
      !request.headers.has("route") &&
      server.addressOfRecord(request.uri) !== undefined &&
      !server.isLocal(request.from.uri)
    );
  }
}

function foreignUri(request: Request): Response {
  return request.createResponse(400, {
    stateless: true,
    reason: "The digest's uri is not the request's",
  });
}

function unlessAllowed(request: Request, allowed: boolean): Response | undefined {
  if (allowed) return undefined;
  return request.createResponse(403, {
    reason: request.method === "REGISTER" ? "Not your address-of-record" : "Not under that name",
  });
}
