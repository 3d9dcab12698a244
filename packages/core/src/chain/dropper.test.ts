import { describe, expect, it } from "vitest";
import { ask } from "../testing/ask.ts";
import { TestServer } from "../testing/test-server.ts";
import { Dropper } from "./dropper.ts";
import { type ByFieldOptions, byField, type FieldPattern } from "./dropper-by-field.ts";
import { byRate } from "./dropper-by-rate.ts";

const INVITE = "INVITE sip:bob@example.com SIP/2.0";

let calls = 0;

/** A new request each time. */
function request(method: string, ...headers: readonly string[]): string {
  calls += 1;
  const via = `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${calls}`;
  return [`${method} sip:bob@example.com SIP/2.0`, via, `Call-ID: ${calls}`, ...headers].join("\n");
}

describe("Dropper", () => {
  it("drops what any of its rules names, without an answer and without a trace", async () => {
    const server = await TestServer.start(
      new Dropper({
        by: [(packet) => packet.method === "BREW", (_packet, _leg, { port }) => port === 666],
      }),
    );
    for (const [text, port] of [
      [request("BREW"), 5060],
      [request("INVITE"), 666],
    ] as const) {
      const { verdict, by, sent } = await server.ask(text, { from: { port } });
      expect([verdict, by, sent]).toEqual(["drop", "Dropper", []]);
    }
    expect((await server.ask(request("INVITE"))).verdict).toBeUndefined();
    expect(server.dispatcher.counters()).toMatchObject({ droppedByHandlers: 2 });
    expect(server.clock.pending).toBe(0);
    await server.close();
  });
});

describe("byField", () => {
  async function isDropped(
    fields: Readonly<Record<string, FieldPattern>>,
    text: string,
    options: ByFieldOptions = {},
  ): Promise<boolean> {
    const { verdict } = await ask(new Dropper({ by: [byField(fields, options)] }), text);
    return verdict === "drop";
  }

  const scanner = `${INVITE}\nUser-Agent: Friendly-Scanner`;

  it.each<readonly [string, FieldPattern, boolean]>([
    ["an expression that matches", /^friendly/i, true],
    ["an expression that doesn't", /^friendly/, false],
    ["a text that it holds, in any case", "SCANNER", true],
    ["a text that it doesn't hold", "sipvicious", false],
    ["a function that says true", (value) => value.length === 16, true],
    ["a function that says false", (value) => value.length === 17, false],
  ])("looks at a value by %s", async (_what, pattern, dropped) => {
    expect(await isDropped({ "user-agent": pattern }, scanner)).toBe(dropped);
  });

  it("needs one of the headers to match, and one of its values", async () => {
    const text = `${INVITE}\nVia: SIP/2.0/UDP 192.0.2.100\nVia: SIP/2.0/UDP evil.example.net, SIP/2.0/UDP x`;
    expect(await isDropped({ subject: /./, via: /evil/ }, text)).toBe(true);
    expect(await isDropped({ subject: /./, via: /good/ }, text)).toBe(false);
  });

  it("finds a header by its compact form", async () => {
    expect(await isDropped({ subject: "lottery" }, `${INVITE}\ns: You won the Lottery`)).toBe(true);
  });

  it("looks at every packet alike with an expression that has flags of memory", async () => {
    const server = await TestServer.start(
      new Dropper({ by: [byField({ "user-agent": /scanner/gy }), byField({ subject: /a/g })] }),
    );
    for (let turn = 0; turn < 3; turn += 1) {
      const { verdict } = await server.ask(request("INVITE", "User-Agent: scanner"));
      expect(verdict).toBe("drop");
      expect((await server.ask(request("INVITE", "Subject: a"))).verdict).toBe("drop");
    }
    expect(server.dispatcher.counters()).toMatchObject({ droppedByField: 6 });
    await server.close();
  });

  it("drops only the methods that it is told", async () => {
    const methods = ["REGISTER", "BREW"];
    expect(await isDropped({ "user-agent": /./ }, scanner, { methods })).toBe(false);
    const brew = "BREW sip:pot@example.com SIP/2.0\nUser-Agent: x";
    expect(await isDropped({ "user-agent": /./ }, brew, { methods })).toBe(true);
  });

  it("drops responses, by the method of their CSeq", async () => {
    const answer = (method: string): string =>
      [
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx",
        "From: <sip:a@example.com>;tag=1",
        "To: <sip:b@example.com>;tag=2",
        "Call-ID: 1",
        `CSeq: 1 ${method}`,
        "Server: scanner",
        "\r\n",
      ].join("\r\n");
    const options = { methods: ["INVITE"] };
    expect(await isDropped({ server: "scanner" }, answer("INVITE"), options)).toBe(true);
    expect(await isDropped({ server: "scanner" }, answer("BYE"), options)).toBe(false);
  });

  it("looks at no more than 1,024 characters of a value and 32 values of a header", async () => {
    const lengths: number[] = [];
    const note = (value: string): boolean => {
      lengths.push(value.length);
      return false;
    };
    const values = Array.from({ length: 100 }, () => "<sip:x@example.com>").join(",");
    const text = `${INVITE}\nSubject: ${"a".repeat(5000)}\nContact: ${values}`;
    expect(await isDropped({ subject: note, contact: note }, text)).toBe(false);
    expect(lengths).toEqual([1024, ...Array.from({ length: 32 }, () => 19)]);
  });
});

describe("byRate", () => {
  async function start(options: Parameters<typeof byRate>[0]): Promise<TestServer> {
    return TestServer.start(new Dropper({ by: [byRate(options)] }));
  }

  async function passes(server: TestServer, address: string, method = "INVITE"): Promise<boolean> {
    const { verdict } = await server.ask(request(method), { from: { address } });
    return verdict !== "drop";
  }

  it("drops what comes beyond the attempts of an interval", async () => {
    const server = await start({ attempts: 3, interval: 10_000 });
    const passed: boolean[] = [];
    for (let turn = 0; turn < 5; turn += 1) passed.push(await passes(server, "192.0.2.7"));
    expect(passed).toEqual([true, true, true, false, false]);
    expect(await passes(server, "192.0.2.8")).toBe(true);
    expect(server.dispatcher.counters()).toMatchObject({ droppedByRate: 2 });
    await server.clock.advance(20_000);
    expect(await passes(server, "192.0.2.7")).toBe(true);
    expect(server.clock.pending).toBe(0);
    await server.close();
  });

  it("slides: what came in the interval before counts for the part of it that is not over", async () => {
    const server = await start({ attempts: 4, interval: 10_000 });
    for (let turn = 0; turn < 4; turn += 1) await passes(server, "192.0.2.7");
    await server.clock.advance(10_000);
    // 4 of the last interval count whole, then 2 of them.
    expect(await passes(server, "192.0.2.7")).toBe(false);
    await server.clock.advance(5000);
    expect(await passes(server, "192.0.2.7")).toBe(true);
    expect(await passes(server, "192.0.2.7")).toBe(false);
    await server.close();
  });

  it("keeps out who goes on, until he has been quiet", async () => {
    const server = await start({ attempts: 2, interval: 1000 });
    const passed: boolean[] = [];
    for (let turn = 0; turn < 50; turn += 1) {
      passed.push(await passes(server, "192.0.2.7"));
      await server.clock.advance(100);
    }
    expect(passed.filter(Boolean)).toHaveLength(2);
    await server.clock.advance(2000);
    expect(await passes(server, "192.0.2.7")).toBe(true);
    await server.close();
  });

  it("takes the /64 of an IPv6 address for one host", async () => {
    const server = await TestServer.start(
      new Dropper({ by: [byRate({ attempts: 2, interval: 10_000 })] }),
      { leg: "udp:[2001:db8::1]:5060" },
    );
    expect(await passes(server, "2001:db8:0:7::1")).toBe(true);
    expect(await passes(server, "2001:db8:0:7:a:b:c:d")).toBe(true);
    expect(await passes(server, "2001:db8:0:7::2")).toBe(false);
    expect(await passes(server, "2001:db8:0:8::1")).toBe(true);
    await server.close();
  });

  it("counts only the methods that it is told, and no responses", async () => {
    const server = await start({ attempts: 1, interval: 10_000, methods: ["REGISTER"] });
    expect(await passes(server, "192.0.2.7", "REGISTER")).toBe(true);
    expect(await passes(server, "192.0.2.7", "OPTIONS")).toBe(true);
    expect(await passes(server, "192.0.2.7", "REGISTER")).toBe(false);
    await server.close();
  });

  it("remembers so many addresses and no more, the oldest goes first", async () => {
    const server = await start({ attempts: 1, interval: 10_000, maxAddresses: 3 });
    for (const last of [1, 2, 3, 4]) await passes(server, `192.0.2.${last}`);
    expect(server.dispatcher.counters()).toMatchObject({ forgottenSenders: 1 });
    expect(await passes(server, "192.0.2.4")).toBe(false);
    expect(await passes(server, "192.0.2.1")).toBe(true);
    await server.clock.advance(20_000);
    const before = server.dispatcher.counters().forgottenSenders;
    for (const last of [5, 6, 7]) await passes(server, `192.0.2.${last}`);
    // What is over makes room without being missed.
    expect(server.dispatcher.counters().forgottenSenders).toBe(before);
    await server.close();
  });

  it.each([
    { attempts: 0, interval: 1 },
    { attempts: 1, interval: Number.NaN },
    { attempts: 1, interval: 1, maxAddresses: 0.5 },
  ])("refuses %o", (options) => {
    expect(() => byRate(options)).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });
});
