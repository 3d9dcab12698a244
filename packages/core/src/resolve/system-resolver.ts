import { lookup } from "node:dns/promises";
import type { Protocol } from "../arrival.ts";
import type { Clock } from "../clock.ts";
import { TransportError } from "../errors.ts";
import { detach } from "../message/detach.ts";
import { parseSipUri, type SipUri } from "../message/uri.ts";
import { canonicalAddress, isAddressLiteral } from "../transport/host-port.ts";
import { defaultPorts, isProtocol } from "../transport/leg-address.ts";
import type { NextHop, Resolver } from "./resolver.ts";

/** Options of {@link systemResolver}. */
export interface SystemResolverOptions {
  readonly clock: Clock;
  /** The addresses of a name, best first. Default: what the machine itself says. */
  readonly addresses?: (host: string) => Promise<readonly string[]>;
  /** How long an answer is kept, in milliseconds; one that there is no such name, a sixth of it. Default: 30,000. */
  readonly keepFor?: number;
  /** Names kept at once. Default: 1,000. */
  readonly maxNames?: number;
  /** Names asked for at once; more fail. Default: 64. */
  readonly maxPending?: number;
}

interface Answer {
  readonly addresses: readonly string[];
  readonly until: number;
}

/**
 * Finds next hops by the addresses of the URI's host, in the order in which the machine's own resolver prefers them.
 *
 * It asks the machine (`getaddrinfo`: hosts file, search list, name service) and not DNS servers directly: so a name means
 * here what it means to every other program on the machine, `localhost` and a container's neighbours included. That
 * call doesn't tell how long an answer holds, and holds one of Node's few worker threads; therefore equal questions share
 * one call, answers are kept for `keepFor`, and questions at once are bounded.
 *
 * Deviation: NAPTR and SRV records (RFC 3263 §4.1, §4.2) are not asked for; transport and port come from the URI.
 *
 * RFC 3263 §4
 */
export function systemResolver(options: SystemResolverOptions): Resolver {
  const { clock, addresses = systemAddresses } = options;
  const { keepFor = 30_000, maxNames = 1_000, maxPending = 64 } = options;
  const answers = new Map<string, Answer>();
  const pending = new Map<string, Promise<readonly string[]>>();

  const keep = (host: string, found: readonly string[]): readonly string[] => {
    const until = clock.now() + (found.length > 0 ? keepFor : keepFor / 6);
    const oldest = answers.size >= maxNames ? answers.keys().next().value : undefined;
    if (oldest !== undefined) answers.delete(oldest);
    answers.set(detach(host), { addresses: found, until });
    return found;
  };

  const ask = (host: string): Promise<readonly string[]> => {
    const asked = pending.get(host);
    if (asked !== undefined) return asked;
    if (pending.size >= maxPending)
      return Promise.reject(noHop(host, "too many names are asked for"));
    const asking = addresses(host)
      .then(
        (found) => keep(host, found),
        (error: unknown) => {
          if (!isNoName(error)) throw noHop(host, "the look-up failed", error);
          return keep(host, []);
        },
      )
      .finally(() => pending.delete(host));
    pending.set(host, asking);
    return asking;
  };

  return {
    resolve(uri) {
      const parsed = parseSipUri(uri);
      const protocol = protocolOf(parsed);
      const port = parsed.port ?? defaultPorts[protocol];
      // RFC 3263 §4: the target is the maddr parameter where there is one, else the host.
      const host = (parsed.params.get("maddr") ?? parsed.host).toLowerCase();
      if (isAddressLiteral(host)) return [{ protocol, address: canonicalAddress(host), port }];
      if (!isName(host)) throw noHop(host, "that is no name");
      const toHops = (found: readonly string[]): readonly NextHop[] => {
        if (found.length === 0) throw noHop(host, "there is no such name");
        return found.map((address) => ({ protocol, address, port }));
      };
      const known = answers.get(host);
      if (known !== undefined && known.until > clock.now()) return toHops(known.addresses);
      answers.delete(host);
      return ask(host).then(toHops);
    },
  };
}

/** The protocol that a URI asks for. RFC 3263 §4.1, RFC 3261 §26.2.2 */
function protocolOf(uri: SipUri): Protocol {
  const secure = uri.scheme === "sips";
  const wanted = uri.params.get("transport")?.toLowerCase();
  // Without the parameter: UDP for sip:, and TLS over TCP for sips:.
  if (wanted === undefined) return secure ? "tls" : "udp";
  if (!isProtocol(wanted)) throw new TransportError(`no transport is named "${wanted}" here`);
  if (!secure) return wanted;
  // A sips: URI asks for TLS on every hop, whatever runs under it.
  if (wanted === "udp") throw new TransportError("a sips: URI can't be reached over UDP");
  return wanted === "ws" || wanted === "wss" ? "wss" : "tls";
}

/** What may be asked for; the underscore is no part of a host name, but of names that machines do have. */
function isName(host: string): boolean {
  return host.length <= 255 && /^[a-z0-9._-]+$/.test(host);
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}

/** Whether an error says that the name doesn't exist, and not that nobody could be asked. */
function isNoName(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOTFOUND" || code === "ENODATA";
}

function noHop(host: string, why: string, cause?: unknown): TransportError {
  return new TransportError(`no address for ${host}: ${why}`, { cause, code: "SIP_NO_ADDRESS" });
}
