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
  /** Fails what is asked, and all that is asked from now on. What the machine was asked can't be taken back. */
  close?(): void;
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
  let isClosed = false;
  const ask = async <T>(question: () => Promise<T>): Promise<T> => {
    if (isClosed) throw new Error("the resolver is closed");
    return question();
  };
  return {
    naptr: (name) => ask(() => dns.resolveNaptr(name)),
    srv: (name) => ask(() => dns.resolveSrv(name)),
    a: (name) => ask(() => dns.resolve4(name, { ttl: true })),
    aaaa: (name) => ask(() => dns.resolve6(name, { ttl: true })),
    lookup: (name) => ask(() => promises.lookup(name, { all: true, verbatim: true })),
    close() {
      isClosed = true;
      dns.cancel();
    },
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
