/**
 * Reads hostile values of growing length and prints what a byte costs: where it costs more the longer the value is, time
 * grows faster than length, and a stranger can make the server stand still.
 *
 *     npx tsx --conditions=@sipkit/source bench/worst-case.ts
 */

import { Authorize } from "@sipkit/auth";
import {
  accept,
  allow,
  authorization,
  contact,
  contentType,
  cseq,
  Dispatcher,
  date,
  from,
  type HeaderField,
  ParseError,
  parsePacket,
  parseUri,
  path,
  proxyAuthenticate,
  recordRoute,
  require,
  retryAfter,
  route,
  supported,
  type TransportSink,
  to,
  unescapeUser,
  uriEquals,
  validate,
  via,
  wwwAuthenticate,
} from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { number, printTable } from "./table.ts";

/** The shortest value in bytes, and how many times as long the others are. */
const SHORTEST = 4096;
const TIMES = [1, 2, 4, 8] as const;
/** How many times as long the value is that tells what goes on growing. */
const FURTHER = 64;
/** A server takes no longer line. */
const SHORTEST_LINE = 1000;
/** How often each is measured, and how long each time; the fastest counts. First a glance, then what stands out. */
const GLANCE = { rounds: 2, ms: 0.03 };
const LOOK = { rounds: 7, ms: 0.5 };
/** A byte of the longest value may cost so many times what one of the shortest does. */
const MOST_GROWTH = 1.5;
/** Nanoseconds a byte below which growth is the machine's and not ours: a cache that is full. */
const LEAST = 0.5;

const LIMITS = { head: 1e9, line: 1e9, headers: 1e9, uri: 1e9 };

/** What values are made of: repeated until they are long enough. */
const PIECES: readonly string[] = [
  "a",
  "1",
  " ",
  "\t",
  ",",
  ";",
  "=",
  ":",
  "@",
  "?",
  "&",
  "/",
  "%",
  "<",
  ">",
  '"',
  "\\",
  "(",
  "[",
  "*",
  "\xe9",
  "\xc3\xa9",
  ";a=b",
  "; a = b ",
  ';a="b"',
  ';a="\\"',
  ";lr",
  ";tag=x",
  "a,",
  "a, ",
  "<sip:a@b>,",
  '"<",',
  "<>",
  "%41",
  "%2",
  "%00",
  '\\"',
  'a="b",',
  "a=b, ",
  "&a=b",
  "sip:",
  "\r\n ",
  "a\r\n\t",
  "(a(b)",
  "SIP/2.0/UDP a,",
  "a/b;q=1,",
];

/** What comes before and after the pieces. */
const FRAMES: readonly (readonly [before: string, after: string])[] = [
  ["", ""],
  ["<sip:a@b>", ""],
  ["sip:a@b", ""],
  ["sip:", "@b"],
  ['"', '" <sip:a@b>'],
  ["SIP/2.0/UDP a", ""],
  ["Digest ", ""],
  ['Digest a="', '"'],
  ["a/b", ""],
  ["<sip:a@b?", ">"],
];

type Read = (value: string) => unknown;

const FIELDS: readonly HeaderField<never>[] = [
  accept,
  allow,
  authorization,
  contact,
  contentType,
  cseq,
  date,
  from,
  path,
  proxyAuthenticate,
  recordRoute,
  require,
  retryAfter,
  route,
  supported,
  to,
  via,
  wwwAuthenticate,
] as unknown as readonly HeaderField<never>[];

/** The functions that a stranger's text gets into, by name. */
const READERS: readonly (readonly [name: string, read: Read])[] = [
  ...FIELDS.map((field): readonly [string, Read] => [
    `${field.name}, alone`,
    (value) => field.parse(value),
  ]),
  ...FIELDS.map((field): readonly [string, Read] => [
    `${field.name}, in a message`,
    (value) => {
      const packet = parsePacket(messageWith(`${field.name}: ${value}`), LIMITS);
      packet.headers.readAll(field);
    },
  ]),
  ["parseUri", (value) => parseUri(value)],
  ["parseUri, parameters", (value) => [...paramsOf(value)]],
  ["uriEquals", (value) => uriEquals(value, `${value};a=b`)],
  ["unescapeUser", unescapeUser],
  [
    "any header",
    (value) => {
      const { headers } = parsePacket(messageWith(`X: ${value}`), LIMITS);
      headers.get("x");
      headers.getAll("supported");
    },
  ],
  [
    "many lines",
    (value) =>
      parsePacket(
        messageWith(`Supported: ${value.replaceAll(",", "\r\nSupported: ")}`),
        LIMITS,
      ).headers.getAll("supported"),
  ],
  ["the request-URI", (value) => validate(parsePacket(messageWith("X: a", value), LIMITS))],
  ["validate: From", (value) => validate(parsePacket(messageWith(`From: ${value}`), LIMITS))],
  ["validate: Via", (value) => validate(parsePacket(messageWith(`Via: ${value}`), LIMITS))],
  [
    "answer and send",
    (value) => {
      const packet = parsePacket(messageWith(`Via: ${value}`), LIMITS);
      if (packet.isRequest) parsePacket(packet.createResponse(200).toWire(), LIMITS);
      packet.headers.set("X", "1");
      packet.toWire();
    },
  ],
];

function paramsOf(value: string): Iterable<unknown> {
  const uri = parseUri(value);
  return "params" in uri ? uri.params : [];
}

/** A request with one more line, above those that it must have; the line takes the place of its kind. */
function messageWith(line: string, uri = "sip:example.com"): string {
  const name = line.slice(0, line.indexOf(":"));
  const lines = [
    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
    "From: <sip:alice@example.com>;tag=1",
    "To: <sip:alice@example.com>",
    "Call-ID: 1",
    "CSeq: 1 REGISTER",
    "Contact: <sip:alice@192.0.2.1>",
  ].filter((each) => !each.startsWith(`${name}:`));
  return `REGISTER ${uri} SIP/2.0\r\n${[line, ...lines].join("\r\n")}\r\n\r\n`;
}

/** A whole server; gives what lets a datagram arrive. */
async function startServer(): Promise<{
  arrive: (wire: string) => void;
  close: () => Promise<void>;
}> {
  let sink: TransportSink | undefined;
  const server = new Dispatcher({
    domains: ["example.com"],
    legs: [
      {
        listen: {
          protocol: "udp",
          listen: async (given: TransportSink) => {
            sink = given;
            return { address: "192.0.2.9", port: 5060 };
          },
          send: () => undefined,
          close: async () => undefined,
        },
      },
    ],
    receiver: [
      new Authorize({ realm: "example.com", credentials: { alice: "secret" } }),
      new Registrar(),
      new Proxy(),
    ],
    onError: (error) => {
      throw error;
    },
  });
  await server.listen();
  const from = { protocol: "udp", address: "192.0.2.1", port: 5060 } as const;
  return {
    arrive: (wire) => sink?.message(Buffer.from(wire, "latin1"), from),
    close: () => server.close(),
  };
}

/** Nanoseconds that a value costs: the fastest of several rounds. */
function cost(read: Read, value: string, { rounds, ms }: typeof LOOK): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    let calls = 0;
    let spent = 0;
    do {
      attempt(read, value);
      calls += 1;
      spent = performance.now() - start;
    } while (spent < ms);
    best = Math.min(best, (spent * 1e6) / calls);
  }
  return best;
}

function attempt(read: Read, value: string): void {
  try {
    read(value);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
  }
}

/** What one reader takes for a byte of one kind of value. */
export interface WorstCase {
  readonly reader: string;
  readonly value: string;
  /** Nanoseconds a byte, from the shortest value to the longest. */
  readonly perByte: readonly number[];
  readonly growth: number;
}

/** What is read, by whom, and how long the shortest value is. */
interface Reader {
  readonly name: string;
  readonly read: Read;
  readonly shortest: number;
}

/** One kind of value. */
interface Kind {
  readonly before: string;
  readonly piece: string;
  readonly after: string;
}

const KINDS: readonly Kind[] = FRAMES.flatMap(([before, after]) =>
  PIECES.map((piece) => ({ before, piece, after })),
);

/** Nanoseconds a byte of a value that is some times as long as the shortest. */
function perByte({ read, shortest }: Reader, kind: Kind, times: number, how: typeof LOOK): number {
  const { before, piece, after } = kind;
  const value = before + piece.repeat((shortest * times) / piece.length) + after;
  return cost(read, value, how) / value.length;
}

function look(reader: Reader, kind: Kind): WorstCase {
  const costs = TIMES.map((times) => perByte(reader, kind, times, LOOK));
  return {
    reader: reader.name,
    value: JSON.stringify(`${kind.before}${kind.piece}…${kind.after}`),
    perByte: costs,
    growth: (costs.at(-1) ?? 0) / (costs[0] ?? 1),
  };
}

function isSuperLinear({ perByte: costs, growth }: WorstCase): boolean {
  return growth > MOST_GROWTH && (costs.at(-1) ?? 0) > LEAST;
}

/** Looks at the dearest value of a reader, and at those that seem to grow too fast. */
function examine(reader: Reader): { readonly dearest: WorstCase; readonly grown: WorstCase[] } {
  const most = TIMES.at(-1) ?? 1;
  const glances = KINDS.map((kind) => {
    const [short, long] = [1, most].map((times) => perByte(reader, kind, times, GLANCE));
    return { kind, long: long ?? 0, growth: (long ?? 0) / (short ?? 1) };
  });
  const dearest = glances.reduce((a, b) => (a.long > b.long ? a : b));
  const suspects = glances.filter(({ growth, long }) => growth > MOST_GROWTH && long > LEAST);
  const grown = suspects.flatMap(({ kind }) => {
    const found = confirmed(reader, kind);
    return found === undefined ? [] : [found];
  });
  return { dearest: look(reader, dearest.kind), grown };
}

/**
 * A suspect that stays one however often it is looked at, and goes on growing beyond the longest value. Caches and the
 * garbage collector make a byte dearer too, up to a point.
 */
function confirmed(reader: Reader, kind: Kind): WorstCase | undefined {
  let least: WorstCase | undefined;
  for (let i = 0; i < 3; i++) {
    const seen = look(reader, kind);
    if (!isSuperLinear(seen)) return undefined;
    if (least === undefined || seen.growth < least.growth) least = seen;
  }
  // A server refuses what is longer still.
  if (least === undefined || reader.shortest === SHORTEST_LINE) return least;
  const last = least.perByte.at(-1) ?? 0;
  return perByte(reader, kind, FURTHER, LOOK) > MOST_GROWTH * last ? least : undefined;
}

/** Prints each reader's dearest value, and every one whose cost grows faster than its length. */
export async function run(): Promise<readonly WorstCase[]> {
  const server = await startServer();
  const inServer = [...FIELDS.map(({ name }) => name), "X", "Call-ID", "Expires"].map(
    (name): Reader => ({
      name: `${name}, into a server`,
      read: (value) => server.arrive(messageWith(`${name}: ${value}`)),
      shortest: SHORTEST_LINE,
    }),
  );
  const readers: readonly Reader[] = [
    ...READERS.map(([name, read]): Reader => ({ name, read, shortest: SHORTEST })),
    ...inServer,
  ];
  const examined = readers.map(examine);
  const dearest = examined.map((each) => each.dearest);
  const flagged = examined.flatMap(({ grown }) => grown);
  await server.close();
  console.log(`\nns a byte: the dearest of ${KINDS.length} values, by length`);
  print(dearest);
  console.log(`\nsuper-linear: ${flagged.length}`);
  if (flagged.length > 0) print(flagged);
  return dearest;
}

function print(cases: readonly WorstCase[]): void {
  printTable(
    ["", "value", ...TIMES.map((times) => `${times}n`), "growth"],
    cases.map(({ reader, value, perByte: costs, growth }) => [
      reader,
      value.length > 40 ? `${value.slice(0, 39)}…` : value,
      ...costs.map((each) => number(each, 2)),
      number(growth, 2),
    ]),
  );
}

if (process.argv[1] === import.meta.filename) await run();
