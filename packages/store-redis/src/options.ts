import { type Clock, SipError, systemClock } from "@sipkit/core";
import { ClientLink } from "./client-link.ts";
import { ClusterLink } from "./cluster-link.ts";
import type { Link } from "./link.ts";
import { openMaster, openServer, type SentinelOptions } from "./open-client.ts";

/** Of `url`, `cluster` and `sentinel` there is one. */
export interface RedisStoreOptions {
  /** One server: `redis://[user:password@]host:port[/database]`, `rediss://` by TLS. */
  readonly url?: string;
  /** A cluster: some of its nodes. User, password and TLS of the first are those of all. */
  readonly cluster?: readonly string[];
  /** A master and its replicas, as sentinels know them. */
  readonly sentinel?: SentinelOptions;
  /** What all keys begin with. Default: `sipkit`. */
  readonly prefix?: string;
  /**
   * How many replicas must have an update before it is acknowledged; one that they haven't in time is refused with
   * `StoreUnavailable`, and may have been made. Default: 0, the master alone.
   */
  readonly replicas?: number;
  /** Milliseconds that a command may take, and connecting. Default: 2,000. */
  readonly timeout?: number;
  /** Seconds that users without bindings are remembered as known. Default: 86,400. */
  readonly rememberFor?: number;
  /** Default: the machine's time. */
  readonly clock?: Clock;
}

/** Checked options. */
export interface RedisSettings {
  readonly prefix: string;
  readonly replicas: number;
  readonly timeout: number;
  readonly rememberFor: number;
  readonly clock: Clock;
  /** Connects, and goes on trying. */
  readonly connect: () => Link;
}

/** Throws a `SipError` `SIP_BAD_OPTION`. */
export function readOptions(options: RedisStoreOptions): RedisSettings {
  const { prefix = "sipkit", replicas = 0, timeout = 2000, rememberFor = 86_400 } = options;
  const { clock = systemClock } = options;
  for (const [name, value, least] of [
    ["replicas", replicas, 0],
    ["timeout", timeout, 1],
    ["rememberFor", rememberFor, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least) {
      throw new SipError("SIP_BAD_OPTION", `${name} must be a whole number from ${least}`);
    }
  }
  // Braces would tell a cluster where the users' keys belong.
  if (/[{}]/.test(prefix)) throw new SipError("SIP_BAD_OPTION", "prefix must have no braces");
  return {
    prefix,
    replicas,
    timeout,
    rememberFor,
    clock,
    connect: connector(options, { clock, timeout }),
  };
}

function connector(
  { url, cluster, sentinel }: RedisStoreOptions,
  settings: { readonly clock: Clock; readonly timeout: number },
): () => Link {
  const ways: (() => Link)[] = [];
  if (url !== undefined) {
    checkUrls([url]);
    ways.push(() => new ClientLink(() => openServer(url, settings), settings));
  }
  if (cluster !== undefined) {
    checkUrls(cluster);
    ways.push(() => new ClusterLink(cluster, settings));
  }
  if (sentinel !== undefined) {
    checkUrls(sentinel.urls);
    ways.push(() => new ClientLink(() => openMaster(sentinel, settings), settings));
  }
  const [way, more] = ways;
  if (way === undefined || more !== undefined) {
    throw new SipError("SIP_BAD_OPTION", "give one of url, cluster and sentinel");
  }
  return way;
}

/** The message holds no URL, which may hold a password. */
function checkUrls(urls: readonly string[]): void {
  const isGood = (url: string): boolean => /^rediss?:/.test(url) && URL.canParse(url);
  if (urls.length > 0 && urls.every(isGood)) return;
  throw new SipError("SIP_BAD_OPTION", "a server is redis://host:port or rediss://host:port");
}
