import { type NaptrRecord, promises, type RecordWithTtl, type SrvRecord } from "node:dns";
import { SipError } from "../errors.ts";

/** Whom names are asked for, in the shapes of `node:dns`. */
export interface DnsQueries {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  a(name: string): Promise<readonly RecordWithTtl[]>;
  aaaa(name: string): Promise<readonly RecordWithTtl[]>;
  /** What the machine says by itself, in its order. */
  lookup(name: string): Promise<readonly { readonly address: string }[]>;
}

/** Which servers, and how long they have. */
export interface DnsServers {
  readonly servers?: readonly string[] | undefined;
  readonly timeout: number;
  readonly tries: number;
}

/** Queries by `node:dns`. Throws a `SipError` (`SIP_BAD_OPTION`) for what that won't take. */
export function nodeQueries({ servers, timeout, tries }: DnsServers): DnsQueries {
  const dns = open({ servers, timeout, tries });
  return {
    naptr: (name) => dns.resolveNaptr(name),
    srv: (name) => dns.resolveSrv(name),
    a: (name) => dns.resolve4(name, { ttl: true }),
    aaaa: (name) => dns.resolve6(name, { ttl: true }),
    lookup: (name) => promises.lookup(name, { all: true, verbatim: true }),
  };
}

function open({ servers, timeout, tries }: DnsServers): promises.Resolver {
  try {
    const dns = new promises.Resolver({ timeout, tries });
    if (servers !== undefined) dns.setServers(servers);
    return dns;
  } catch (cause) {
    const what = `servers are addresses with or without a port, timeout and tries whole numbers: ${cause}`;
    throw new SipError("SIP_BAD_OPTION", what, { cause });
  }
}
