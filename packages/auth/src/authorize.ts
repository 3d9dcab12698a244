import {
  authorization,
  dialogRoute,
  type Handler,
  identity,
  isPromise,
  type Outcome,
  type Packet,
  proxyAuthorization,
  type Request,
  type Response,
  type Server,
  SipError,
  uriEquals,
} from "@sipkit/core";
import { authGuard, judgeGuarded } from "./auth-guard.ts";
import { type AuthorizeOptions, type CheckedOptions, checkOptions } from "./authorize-options.ts";
import { type Ha1Source, ha1Source } from "./credentials.ts";
import { HtdigestFile } from "./htdigest.ts";
import { Permissions } from "./permissions.ts";
import { type Judgement, Realm } from "./realm.ts";
import {
  type CredentialsField,
  receivedCredentials,
  removeCredentials,
} from "./received-credentials.ts";

/** In which role we ask: as the server that a request is for, or as a proxy on its way. RFC 3261 §22.1 */
interface Role {
  readonly status: number;
  readonly challenge: string;
  readonly field: CredentialsField;
}

const asServer: Role = { status: 401, challenge: "WWW-Authenticate", field: authorization };
const asProxy: Role = { status: 407, challenge: "Proxy-Authenticate", field: proxyAuthorization };
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
 * Route). Those pass without an identity.
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
  #started: Started | undefined;

  /** Throws `SIP_BAD_OPTION` or `SIP_BAD_DOMAIN`. */
  constructor(options: AuthorizeOptions) {
    this.#options = checkOptions(options);
    const { realm, credentials, htdigest } = options;
    const { userhash, algorithms } = this.#options;
    const indexed = userhash ? algorithms.hashes : [];
    this.#sources = [
      ...(credentials === undefined ? [] : [ha1Source(credentials, realm, indexed)]),
      ...(htdigest === undefined ? [] : [new HtdigestFile(htdigest, realm, indexed)]),
    ];
  }

  /** Reads the htdigest file; throws `SIP_BAD_HTDIGEST` when it can't. */
  start(server: Server): void {
    for (const source of this.#sources) source.start?.(server);
    const forgotten = (): void => this.#started?.server.count("forgottenNonces");
    this.#started = {
      server,
      // Started again, it still knows which nonces were used.
      realm: this.#started?.realm ?? new Realm(this.#options, this.#sources, server, forgotten),
      permissions: new Permissions(this.#options, server),
    };
  }

  receive(packet: Packet): Outcome {
    if (!packet.isRequest || packet.method === "CANCEL") return undefined;
    const started = this.#started;
    if (started === undefined) {
      throw new SipError("SIP_NOT_STARTED", "the authenticator was not started");
    }
    const { realm: name, algorithms, userhash } = this.#options;
    // §22.1: an ACK can't be answered; within a dialog the signed Route is the proof.
    if (packet.method === "ACK" || packet.get(dialogRoute) !== undefined) {
      removeCredentials(packet, fields, name);
      return undefined;
    }
    const isOurs = isForServer(packet, started.server);
    const role = isOurs ? asServer : asProxy;
    const offered = algorithms.of(packet);
    const credentials = receivedCredentials(packet, role.field, { realm: name, offered, userhash });
    if (credentials === undefined) {
      return this.#isWelcome(packet, started.server, isOurs)
        ? this.#pass(packet)
        : this.#challenge(packet, role, started, false);
    }
    if (!isUriOf(credentials.uri, packet, started.server)) return foreignUri(packet);

    const { realm, server } = started;
    const guard = packet.get(authGuard);
    const refusal = guard?.admit(packet, credentials.user);
    if (refusal) return refusal;
    const judgement =
      guard === undefined
        ? realm.judge(packet, credentials, server.clock.now())
        : judgeGuarded(guard, packet, credentials.user, () =>
            realm.judge(packet, credentials, server.clock.now()),
          );
    return isPromise(judgement)
      ? judgement.then((known) => this.#decide(packet, role, started, known))
      : this.#decide(packet, role, started, judgement);
  }

  /** How many used nonces are remembered: 0 again when all have expired. */
  get rememberedNonces(): number {
    return this.#started?.realm.remembered(this.#started.server.clock.now()) ?? 0;
  }

  #decide(request: Request, role: Role, started: Started, judgement: Judgement): Outcome {
    if (typeof judgement === "string") {
      started.server.count(judgement === "stale" ? "staleNonces" : "wrongCredentials");
      return this.#challenge(request, role, started, judgement === "stale");
    }
    const { user, credentials } = judgement;
    const proved = started.permissions.identityOf(user, credentials.algorithm);
    request.set(identity, proved);
    removeCredentials(request, fields, this.#options.realm);
    const isAllowed = started.permissions.allow(request, proved, role === asServer);
    return isPromise(isAllowed)
      ? isAllowed.then((allowed) => unlessAllowed(request, allowed))
      : unlessAllowed(request, isAllowed);
  }

  #challenge(request: Request, role: Role, started: Started, stale: boolean): Response {
    return request.createResponse(role.status, {
      stateless: true,
      headers: {
        [role.challenge]: started.realm.challenges(
          this.#options.algorithms.of(request),
          stale,
          started.server.clock.now(),
        ),
      },
    });
  }

  /** Lets a request through without proof: what it claims to have for this realm goes. */
  #pass(request: Request): undefined {
    removeCredentials(request, fields, this.#options.realm);
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

/** Whether the server itself is asked, not a user of its domains: a URI has a user exactly where it has an at sign. */
function isForServer(request: Request, server: Server): boolean {
  const isRegister = request.method === "REGISTER";
  return (isRegister || !request.uri.includes("@")) && server.isLocal(request.uri);
}

/**
 * Whether a digest was made for this request: its `uri` is the request-URI, or names this server, as that of several
 * clients does whatever they request. One client puts it in angle brackets.
 *
 * RFC 7616 §3.4.6
 */
function isUriOf(uri: string, request: Request, server: Server): boolean {
  if (uri === request.uri) return true;
  const bare = uri.startsWith("<") && uri.endsWith(">") ? uri.slice(1, -1) : uri;
  return (!bare.includes("@") && server.isLocal(bare)) || uriEquals(bare, request.uri);
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
