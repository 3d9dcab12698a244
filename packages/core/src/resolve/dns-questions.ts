import type { RecordWithTtl } from "node:dns";
import type { Clock } from "../clock.ts";
import { canonicalAddress, isWildcard } from "../transport/host-port.ts";
import type { DnsQueries } from "./dns-queries.ts";
import { type Found, type QuestionCounters, type QuestionLimits, Questions } from "./questions.ts";
import { readNaptr, type Service } from "./sip-services.ts";
import { type Place, readSrv } from "./srv-records.ts";

/** Addresses of one name that are used, of each family. */
const MAX_ADDRESSES = 16;
/** Of the questions at once, the share that the machine is asked: it answers with one of Node's few worker threads. */
const LOOKUP_SHARE = 4;

/** All kinds of questions that a resolver asks. */
export interface DnsQuestions {
  readonly naptr: Questions<Service>;
  readonly srv: Questions<Place>;
  readonly a: Questions<string>;
  readonly aaaa: Questions<string>;
  /** What the machine says by itself: hosts file, search list, container network. Addresses of both families. */
  readonly lookup: Questions<string>;
}

/** Questions whose answers are reduced to what is used of them. */
export function dnsQuestions(
  queries: DnsQueries,
  context: {
    readonly clock: Clock;
    readonly limits: QuestionLimits;
    readonly counters: QuestionCounters;
  },
): DnsQuestions {
  const { limits } = context;
  const maxPending = Math.ceil(limits.maxPending / LOOKUP_SHARE);
  return {
    naptr: new Questions(
      "naptr",
      async (name) => ({ records: readNaptr(await queries.naptr(name)) }),
      context,
    ),
    srv: new Questions(
      "srv",
      async (name) => ({ records: readSrv(await queries.srv(name)) }),
      context,
    ),
    a: new Questions("a", async (name) => readTimed(await queries.a(name)), context),
    aaaa: new Questions("aaaa", async (name) => readTimed(await queries.aaaa(name)), context),
    lookup: new Questions(
      "lookup",
      async (name) => ({ records: readAddresses(await queries.lookup(name)) }),
      { ...context, limits: { ...limits, maxPending } },
    ),
  };
}

function readTimed(records: readonly RecordWithTtl[]): Found<string> {
  const ttl = records.reduce((least, record) => Math.min(least, record.ttl), Infinity);
  return { records: readAddresses(records), ttl };
}

/** 0.0.0.0 is how DNS filters say no; to send there would be to send to ourselves. */
function readAddresses(records: readonly { readonly address: string }[]): readonly string[] {
  const addresses = new Set(records.map(({ address }) => canonicalAddress(address)));
  return [...addresses].filter((address) => !isWildcard(address)).slice(0, MAX_ADDRESSES);
}
