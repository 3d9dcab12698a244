import { type Packet, ParseError, parsePacket } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { rows, section } from "../docs/pages.ts";
import { type Outcome, TortureServer } from "./torture-server.ts";
import { bytesOf, type Vector, vectors } from "./vectors.ts";
import { entries, isAllowed, type Says, type Verdict, verdictRows } from "./verdicts.ts";

const titled = vectors.map((vector): [string, Vector] => [
  `${vector.section ?? "no section"} ${vector.name}: ${vector.title}`,
  vector,
]);

const cases = vectors.flatMap((vector) =>
  (entries.get(vector.name)?.verdicts ?? []).map((verdict): [string, Vector, Verdict] => [
    `${vector.name}, ${verdict.by}: ${verdict.says}`,
    vector,
    verdict,
  ]),
);

/** What a server said: the one final status, or that it sent something on, or nothing. */
function said({ answers, forwarded }: Outcome): readonly Says[] {
  const statuses = answers.flatMap((packet) => (packet.isRequest ? [] : [packet.status]));
  const on = forwarded.length > 0 ? (["forwards it"] as const) : [];
  const all = [...statuses.filter((status) => status > 100), ...on];
  return all.length === 0 ? ["drops it"] : all;
}

describe("every message of RFC 4475", () => {
  it("has its verdict", () => {
    expect(vectors.filter(({ scored }) => scored)).toHaveLength(49);
    expect([...entries.keys()].toSorted()).toEqual(vectors.map(({ name }) => name).toSorted());
  });

  it.each(titled)("%s: the RFC allows the verdict", (_title, vector) => {
    const { verdicts = [], because } = entries.get(vector.name) ?? {};
    expect(verdicts.length).toBeGreaterThan(0);
    expect(verdicts.filter((verdict) => !isAllowed(verdict, vector))).toEqual([]);
    // Where the RFC leaves the choice, ours has a reason.
    if (vector.parser === "either") expect(because).toBeDefined();
  });
});

/** What the parser makes of a message; `undefined` when it can't read it. */
function read(bytes: Uint8Array): Packet | undefined {
  try {
    return parsePacket(bytes);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

describe("what the parser can read", () => {
  const readable = titled.filter(([, vector]) => read(bytesOf(vector)) !== undefined);

  it("is most of it, also of what a server must refuse", () => {
    const names = readable.map(([, { name }]) => name);
    expect(names).toEqual(expect.arrayContaining(["mismatch01", "multi01", "insuf", "quotbal"]));
    expect(names).not.toContain("badvers");
  });

  it.each(readable)("%s is sent again byte for byte", (_title, vector) => {
    // Brackets are taken off.
    if (vector.name === "ltgtruri") return;
    const bytes = bytesOf(vector);
    const packet = read(bytes) as Packet;
    const length = bytes.indexOf("\r\n\r\n") + 4 + packet.body.length;
    const original = bytes.subarray(0, length).toString("latin1");
    expect(packet.toWire()).toBe(original);
    if (!packet.headers.has("content-length")) return;
    const copy = packet.clone();
    copy.headers.prepend("X-First", "1");
    copy.headers.delete("X-First");
    expect(copy.toWire()).toBe(original);
  });
});

describe("in one datagram", () => {
  it.each(cases)("%s", async (_title, vector, { by, says }) => {
    const server = await TortureServer.start(by);
    const outcome = await server.datagram(bytesOf(vector));
    expect(said(outcome)).toEqual([says]);
    expectAnswerable(outcome);
    expect(await server.close()).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

describe("on a stream, and what follows it", () => {
  it.each(cases)("%s", async (_title, vector, verdict) => {
    const { by, says, onStream = says, closes = false } = verdict;
    const server = await TortureServer.start(by);
    const isShort = vector.name === "clerr";
    const outcome = await server.stream(bytesOf(vector), isShort ? { step: 1000 } : {});
    const all = said(outcome);
    expect(vector.name === "dblreq" ? all.slice(0, 1) : all).toEqual([onStream]);
    expect(outcome.closed).toBe(closes);
    expectAnswerable(outcome);
    expect(await server.close()).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

/** An answer has what its request had, for its sender to know it by. RFC 3261 §8.2.6 */
function expectAnswerable({ seen, answers }: Outcome): void {
  const [request] = seen;
  if (request?.isRequest !== true) return;
  for (const answer of answers) {
    if (answer.isRequest || answer.callId !== request.callId) continue;
    for (const name of ["from", "call-id", "cseq"]) {
      expect(answer.headers.getAll(name)).toEqual(request.headers.getAll(name));
    }
    expect(answer.headers.getAll("via")).toHaveLength(request.headers.getAll("via").length);
    if (answer.status > 100) expect(answer.toTag).toBeDefined();
  }
}

it("docs/rfc.md has the table of the verdicts", () => {
  expect(rows(section("docs/rfc.md", "## RFC 4475"))).toEqual(verdictRows(vectors));
});
