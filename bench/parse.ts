/**
 * Parses a REGISTER and an INVITE from bytes and reads ten fields of each, beside the packages sip and jssip, and beside
 * JSON.parse of the same message as a JSON document.
 *
 *     npx tsx --conditions=@sipkit/source bench/parse.ts
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { authorization, contact, expires, parsePacket, validate } from "@sipkit/core";
import { median } from "./statistics.ts";
import { number, printTable } from "./table.ts";

const require = createRequire(import.meta.url);
const ROUNDS = 150;
const SLICE_MS = 2;
const WARM_UP_CALLS = 20_000;

/** What is read of each message: it must come out the same from every library. */
type Fields = readonly (string | number | undefined)[];

interface Library {
  readonly name: string;
  /** Makes what is timed: it parses and reads the ten fields. */
  make(bytes: Buffer): () => Fields;
}

const sipkit: Library = {
  name: "sipkit",
  make: (bytes) => () => {
    const packet = parsePacket(bytes);
    validate(packet);
    const { headers } = packet;
    const binding = headers.read(contact);
    return [
      packet.isRequest ? packet.method : packet.status,
      packet.isRequest ? packet.uri : undefined,
      packet.branch,
      packet.fromTag,
      packet.toTag,
      packet.callId,
      packet.cseq.number,
      binding === "*" ? binding : binding?.uri,
      headers.read(expires),
      headers.param(authorization, "username"),
    ];
  },
};

const sip: Library = {
  name: "sip@0.0.6",
  make(bytes) {
    const { parse } = require("sip");
    return () => {
      const packet = parse(bytes);
      const { headers } = packet;
      return [
        packet.method ?? packet.status,
        packet.uri,
        headers.via[0].params.branch,
        headers.from.params.tag,
        headers.to.params.tag,
        headers["call-id"],
        headers.cseq.seq,
        headers.contact[0].uri,
        Number(headers.expires),
        headers.authorization[0].username.slice(1, -1),
      ];
    };
  },
};

const jssip: Library = {
  name: "jssip@3.13.8",
  make(bytes) {
    const { parseMessage } = require("jssip/lib/Parser.js");
    return () => {
      const packet = parseMessage(bytes.toString("latin1"));
      return [
        packet.method,
        String(packet.ruri),
        packet.via_branch,
        packet.from_tag,
        packet.to_tag,
        packet.call_id,
        packet.cseq,
        packet.parseHeader("contact").uri.toString(),
        Number(packet.getHeader("expires")),
        /username="([^"]*)"/.exec(packet.getHeader("authorization"))?.[1],
      ];
    };
  },
};

/** The yardstick: the same message as a JSON document, parsed by the engine's own parser, nothing read. */
const json: Library = {
  name: "JSON.parse",
  make(bytes) {
    const document = Buffer.from(JSON.stringify(documentOf(bytes)), "latin1");
    return () => JSON.parse(document.toString("latin1"));
  },
};

function documentOf(bytes: Buffer): object {
  const packet = parsePacket(bytes);
  return {
    method: packet.method,
    uri: packet.isRequest ? packet.uri : undefined,
    headers: Object.fromEntries(packet.headers),
    body: Buffer.from(packet.body).toString("latin1"),
  };
}

/** What was read last: kept, so that the engine can't leave the work out. */
let last: Fields | undefined;

/** Microseconds a call, over a number of calls. */
function time(run: () => Fields, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) last = run();
  return ((performance.now() - start) * 1000) / calls;
}

/** Microseconds a message, and how many times sipkit's that is. */
export interface ParseFigure {
  readonly message: string;
  readonly library: string;
  readonly microseconds: number;
  readonly timesOurs: number;
}

/** The libraries take turns in short slices, so that whatever else the machine does meets them all. */
function compare(message: string, bytes: Buffer): ParseFigure[] {
  const contest = [sipkit, sip, jssip, json].map(({ name, make }) => ({
    name,
    read: make(bytes),
    calls: 0,
    times: [] as number[],
  }));
  const [ours, theirs] = contest.map(({ read }) => JSON.stringify(read()));
  if (ours !== theirs) throw new Error(`sip reads ${theirs}, sipkit ${ours}`);
  for (const library of contest) {
    time(library.read, WARM_UP_CALLS);
    library.calls = Math.ceil((SLICE_MS * 1000) / time(library.read, WARM_UP_CALLS / 10));
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { read, calls, times } of contest) times.push(time(read, calls));
  }
  const own = median(contest[0]?.times ?? []);
  return contest.map(({ name, times }) => {
    const microseconds = median(times);
    return { message, library: name, microseconds, timesOurs: microseconds / own };
  });
}

/** Prints microseconds a message for each library, and how many times ours that is. */
export async function run(): Promise<readonly ParseFigure[]> {
  const figures: ParseFigure[] = [];
  for (const [name, file] of [
    ["REGISTER", "register.sip"],
    ["INVITE", "invite.sip"],
  ] as const) {
    const bytes = readFileSync(new URL(`samples/${file}`, import.meta.url));
    const document = JSON.stringify(documentOf(bytes)).length;
    console.log(
      `\nparse ${name} (${bytes.length} bytes; as a JSON document ${document}) and read ten fields`,
    );
    const compared = compare(name, bytes);
    figures.push(...compared);
    printTable(
      ["", "µs", "× sipkit's"],
      compared.map(({ library, microseconds, timesOurs }) => [
        library,
        number(microseconds, 2),
        number(timesOurs, 2),
      ]),
    );
  }
  if (last === undefined) throw new Error("nothing was read");
  return figures;
}

if (process.argv[1] === import.meta.filename) await run();
