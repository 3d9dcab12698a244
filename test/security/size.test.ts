import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { type Lines, message, REGISTER, withRaw } from "./message.ts";

describe("CVE-2018-7284, AST-2018-004: a header fifty times, and more", () => {
  it.each([
    ["Accept", "application/sdp"],
    ["Supported", "path"],
    ["Allow", "INVITE"],
    ["Contact", "<sip:alice@192.0.2.100>"],
    ["Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKx"],
    ["Route", "<sip:192.0.2.9;lr>"],
    ["Record-Route", "<sip:192.0.2.9;lr>"],
    ["Proxy-Require", "x"],
    ["X", "y"],
  ])("%s: challenged up to 256 lines, 400 beyond, and never forwarded", async (name, value) => {
    const server = await GuardedServer.start();
    for (const [times, status] of [
      [50, 407],
      [240, 407],
      [260, 400],
    ] as const) {
      const line = `${name}: ${value}`;
      const raw = Array.from({ length: times }, () => line).join("\r\n");
      const lines = { Event: "presence" };
      const wire = withRaw(message("SUBSCRIBE sip:bob@example.com", lines), raw);
      const { answers, forwarded } = await server.send(wire);
      expect([times, ...answers.map((answer) => answer.status)]).toEqual([times, status]);
      expect(forwarded).toEqual([]);
    }
    await server.end();
  });

  it.each<[string, number, Lines]>([
    ["Accept", 200, { Accept: Array.from({ length: 200 }, () => "a/b") }],
    ["Contact", 403, { Contact: Array.from({ length: 200 }, (_, n) => `<sip:a${n}@192.0.2.100>`) }],
    ["Contact, in one line", 403, { Contact: Array(300).fill("<sip:a@b>").join(", ") }],
    ["Require", 420, { Require: Array.from({ length: 200 }, (_, n) => `x${n}`) }],
    ["Path", 403, { Path: Array.from({ length: 200 }, (_, n) => `<sip:192.0.2.${n};lr>`) }],
    ["Supported", 200, { Supported: Array.from({ length: 200 }, () => "outbound") }],
  ])("%s in a user's REGISTER: %i", async (_what, status, lines) => {
    const server = await GuardedServer.start();
    const all = { Contact: "<sip:alice@192.0.2.100>", ...lines };
    const { answers } = await server.sendAs("alice", REGISTER, all);
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    expect(await server.bindings("alice")).toHaveLength(status === 200 ? 1 : 0);
    await server.end();
  });
});

/** What makes readers of other kinds take quadratic time, or more. `pnpm bench worst-case` measures ours. */
const PIECES = [
  ";a=b",
  ",",
  " ",
  '"\\"',
  '\\"',
  "<",
  ">",
  "(",
  "%41",
  ";",
  "=",
  "@",
  "a,",
  "<>,",
  ';a="b"',
  "\t",
];

describe("values that cost others quadratic time", () => {
  const NAMES = [
    "Contact",
    "From",
    "To",
    "Via",
    "Route",
    "Record-Route",
    "Authorization",
    "Require",
    "Supported",
    "X",
  ];

  it.each(NAMES)(
    "%s: one answer at most to a stranger, 400 over a line's bound, nothing bound",
    async (name) => {
      const server = await GuardedServer.start();
      for (const piece of PIECES) {
        for (const before of ["", "<sip:a@b>", "Digest ", "SIP/2.0/UDP a"]) {
          for (const length of [8_000, 40_000]) {
            const value = before + piece.repeat(length / piece.length);
            const { answers, forwarded } = await server.send(message(REGISTER, { [name]: value }));
            expect(answers.length).toBeLessThanOrEqual(1);
            // A Via that can't be read leaves nobody to answer.
            const statuses = length > 8_192 ? [400, undefined] : [400, 401, undefined];
            expect(statuses).toContain(answers[0]?.status);
            expect(forwarded).toEqual([]);
          }
        }
        server.net.log.length = 0;
      }
      expect(server.store.users).toBe(0);
      await server.end();
    },
  );

  it.each(PIECES)("%j as a user, a host and a parameter of the request-URI", async (piece) => {
    const server = await GuardedServer.start();
    for (const [before, after] of [
      ["sip:", "@example.com"],
      ["sip:bob@", ""],
      ["sip:bob@example.com;x", ""],
    ]) {
      const uri = `${before}${piece.repeat(2_000 / piece.length)}${after}`;
      const { answers, forwarded } = await server.send(message(`MESSAGE ${uri}`));
      expect(answers.length).toBeLessThanOrEqual(1);
      expect([400, 407, undefined]).toContain(answers[0]?.status);
      expect(forwarded).toEqual([]);
    }
    await server.end();
  });
});
