import { constants, X509Certificate } from "node:crypto";
import {
  type ConnectionOptions,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
  type TlsOptions as TlsServerOptions,
} from "node:tls";
import { messageOf, SipError } from "../errors.ts";
import type { Endpoint, PeerProof } from "./carrier.ts";
import { isAddressLiteral } from "./host-port.ts";
import { identityFault, sipIdentities, withoutRoot } from "./tls-identities.ts";
import type { TlsCertificate, TlsOptions } from "./tls-options.ts";

/** Of who only opens connections and shows no certificate. */
const NO_CERTIFICATES: TlsOptions = { cert: "", key: "" };

/** What new handshakes use. */
interface Current {
  readonly options: TlsOptions;
  readonly secureContextOptions: SecureContextOptions;
  readonly own: SecureContext;
  /** By name, lower-case. */
  readonly named: ReadonlyMap<string, SecureContext>;
}

/** A leg's certificates and whom it believes, as Node's TLS takes them; replaced while the leg runs. */
export class TlsSettings {
  #current: Current;
  readonly #servers = new Set<Server>();

  /** Throws a `SipError` (`SIP_BAD_OPTION`) when there are none, or bad ones. */
  constructor(options: TlsOptions | undefined) {
    if (options === undefined) {
      throw new SipError("SIP_BAD_OPTION", "a tls or wss leg needs tls: { cert, key }");
    }
    this.#current = read(options);
  }

  /** For connections that we open alone: without certificates we show none. Throws like the constructor. */
  static ofClient(options: TlsOptions | undefined): TlsSettings {
    return options === undefined ? new TlsSettings(NO_CERTIFICATES) : new TlsSettings(options);
  }

  /** Whether who connects must show a certificate that is believed. */
  get requiresClients(): boolean {
    return this.#current.options.clientCertificate === "required";
  }

  /** For `tls.createServer` and `https.createServer`; give the server to `follow` then. */
  serverOptions(): TlsServerOptions {
    const { options, secureContextOptions } = this.#current;
    return {
      ...secureContextOptions,
      requestCert: asksClients(options),
      rejectUnauthorized: options.clientCertificate === "required",
      SNICallback: (name, done) => done(null, this.#contextFor(name)),
    };
  }

  /** Has a server that was made with `serverOptions` use new certificates from `replace` on. */
  follow(server: Server): void {
    this.#servers.add(server);
  }

  /**
   * For `tls.connect`. A server that doesn't prove what led to it is refused with an error that says why.
   *
   * RFC 5922 §7.3, RFC 6066 §3
   */
  connectOptions(to: Endpoint): ConnectionOptions {
    const { options, own } = this.#current;
    const { domain = "", ...where } = to;
    return {
      ...where,
      secureContext: own,
      rejectUnauthorized: options.verifyServers ?? true,
      // Never an address: a server name is a DNS name.
      ...(domain === "" || isAddressLiteral(domain) ? {} : { servername: withoutRoot(domain) }),
      checkServerIdentity: (_name: string, certificate: PeerCertificate) => {
        const fault = identityFault(certificate, to);
        return fault === undefined ? undefined : new Error(fault);
      },
    };
  }

  /**
   * What handshakes use from now on. Throws a `SipError` (`SIP_BAD_OPTION`), and changes nothing, when it is bad, or
   * when it would ask clients for certificates in another way than before.
   */
  replace(options: TlsOptions): void {
    const next = read(options);
    if (clientPolicy(options) !== clientPolicy(this.#current.options)) {
      throw new SipError("SIP_BAD_OPTION", "tls.clientCertificate can't change while a leg runs");
    }
    this.#current = next;
    for (const server of this.#servers) server.setSecureContext(next.secureContextOptions);
  }

  /** What a finished handshake proved; `undefined` where the other side showed no certificate that we accept. */
  proofOf(socket: TLSSocket): PeerProof | undefined {
    if (!socket.authorized) return undefined;
    const certificate = socket.getPeerCertificate();
    // Node takes a resumed session without a certificate for an authorized one.
    if (certificate.raw === undefined) return undefined;
    return { authorized: true, identities: sipIdentities(certificate) };
  }

  #contextFor(name: string): SecureContext {
    const { own, named } = this.#current;
    if (named.size === 0) return own;
    const asked = name.toLowerCase();
    return named.get(asked) ?? named.get(`*${asked.slice(Math.max(asked.indexOf("."), 0))}`) ?? own;
  }
}

function read(options: TlsOptions): Current {
  const { names = {}, clientCertificate = "none", minVersion = "TLSv1.2" } = options;
  if (!["none", "optional", "required"].includes(clientCertificate)) {
    throw badOption("clientCertificate", '"none", "optional" or "required"');
  }
  if (!["TLSv1.2", "TLSv1.3"].includes(minVersion)) {
    throw badOption("minVersion", '"TLSv1.2" or "TLSv1.3"');
  }
  if (![undefined, true, false].includes(options.verifyServers)) {
    throw badOption("verifyServers", "true or false");
  }
  const secureContextOptions = secureContextOptionsOf(options, options, "");
  const named = Object.entries(names).map(([name, certificate]) => {
    if (!/^(?:\*\.)?[A-Za-z0-9._-]{1,253}$/.test(name)) {
      throw badOption("names", `by host names or *. and one, not "${name}"`);
    }
    const what = `names["${name}"].`;
    const made = secureContext(secureContextOptionsOf(certificate, options, what), what);
    return [name.toLowerCase(), made] as const;
  });
  return {
    options,
    secureContextOptions,
    own: secureContext(secureContextOptions, ""),
    named: new Map(named),
  };
}

/** `of` says in errors which certificate it is. */
function secureContextOptionsOf(
  certificate: TlsCertificate,
  options: TlsOptions,
  of: string,
): SecureContextOptions {
  const { cert = "", key = "", passphrase } = certificate ?? {};
  const { ca, minVersion = "TLSv1.2" } = options;
  const shows = options !== NO_CERTIFICATES;
  if (shows && !(cert.length > 0 && key.length > 0)) {
    throw badOption(`${of}cert and key`, "PEM text each");
  }
  let secureOptions = constants.SSL_OP_NO_RENEGOTIATION;
  // A session that is resumed brings back what was believed of its certificate then, perhaps under another `ca`.
  if (asksClients(options)) secureOptions |= constants.SSL_OP_NO_TICKET;
  return {
    ...(shows ? { cert: pem(cert), key: pem(key) } : {}),
    minVersion,
    secureOptions,
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(ca === undefined ? {} : { ca: [ca].flat().map(authority) }),
  };
}

function secureContext(options: SecureContextOptions, of: string): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    const message = `tls: ${of}cert and key can't be used: ${messageOf(cause)}`;
    throw new SipError("SIP_BAD_OPTION", message, { cause });
  }
}

function asksClients(options: TlsOptions): boolean {
  return clientPolicy(options) !== "none";
}

function clientPolicy({ clientCertificate = "none" }: TlsOptions): string {
  return clientCertificate;
}

function pem(text: string | Uint8Array): string | Buffer {
  return typeof text === "string" ? text : Buffer.from(text);
}

/** Node would pass over what is no certificate, and then believe nobody. */
function authority(text: string | Uint8Array): string | Buffer {
  try {
    new X509Certificate(text);
  } catch {
    throw badOption("ca", "certificates, PEM text each");
  }
  return pem(text);
}

function badOption(name: string, what: string): SipError {
  return new SipError("SIP_BAD_OPTION", `tls: ${name} must be ${what}`);
}
