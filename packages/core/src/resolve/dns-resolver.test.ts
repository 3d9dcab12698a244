import type { NaptrRecord, SrvRecord } from "node:dns";
import { describe, expect, it } from "vitest";
import type { Protocol } from "../arrival.ts";
import { ParseError, TransportError } from "../errors.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { DnsQueries } from "./dns-queries.ts";
import { type DnsResolverOptions, dnsResolver, resolverBy } from "./dns-resolver.ts";
import type { NextHop, ResolveOptions, Resolver } from "./resolver.ts";

/** The records of names; addresses as `[address, ttl]`, an error's code where nobody answers. */
interface Zone {
  readonly naptr?: Readonly<Record<string, readonly NaptrRecord[] | string>>;
  readonly srv?: Readonly<Record<string, readonly SrvRecord[] | string>>;
  readonly a?: Readonly<Record<string, readonly (readonly [string, number])[] | string>>;
  readonly aaaa?: Readonly<Record<string, readonly (readonly [string, number])[] | string>>;
  readonly machine?: Readonly<Record<string, readonly string[] | string>>;
}

interface Bench {
  readonly resolver: Resolver;
  readonly clock: VirtualClock;
  /** What was asked, in its order: `srv _sip._udp.example.com`. */
  readonly asked: string[];
  hops(uri: string, options?: ResolveOptions): Promise<readonly string[]>;
}

function bench(zone: Zone, options: Partial<DnsResolverOptions> = {}): Bench {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const answer = async <T>(
    kind: string,
    name: string,
    records: Readonly<Record<string, readonly T[] | string>> = {},
  ): Promise<readonly T[]> => {
    asked.push(`${kind} ${name}`);
    const found = Object.hasOwn(records, name) ? records[name] : "ENOTFOUND";
    if (found === undefined || typeof found === "string") {
      throw Object.assign(new Error(`${found} ${name}`), { code: found });
    }
    return found;
  };
  const timed = async (kind: "a" | "aaaa", name: string) =>
    (await answer(kind, name, zone[kind])).map(([address, ttl]) => ({ address, ttl }));
  const queries: DnsQueries = {
    naptr: (name) => answer("naptr", name, zone.naptr),
    srv: (name) => answer("srv", name, zone.srv),
    a: (name) => timed("a", name),
    aaaa: (name) => timed("aaaa", name),
    lookup: async (name) =>
      (await answer("machine", name, zone.machine)).map((address) => ({
        address,
        family: address.includes(":") ? 6 : 4,
      })),
  };
  const resolver = resolverBy(queries, { clock, random: counting(), ...options });
  return {
    resolver,
    clock,
    asked,
    async hops(uri, about) {
      return (await resolver.resolve(uri, about)).map(written);
    },
  };
}

/** Chance that always draws the smallest. */
function counting(): NonNullable<DnsResolverOptions["random"]> {
  return { bytes: (size) => new Uint8Array(size), token: () => "" };
}

function written({ protocol, address, port }: NextHop): string {
  return `${protocol} ${address} ${port}`;
}

function naptr(
  order: number,
  service: string,
  replacement: string,
  more: Partial<NaptrRecord> = {},
): NaptrRecord {
  return { order, preference: 50, flags: "s", service, regexp: "", replacement, ...more };
}

function srv(name: string, port = 5060, priority = 0, weight = 0): SrvRecord {
  return { name, port, priority, weight };
}

const v4: ResolveOptions = { families: [4] };

describe("next hops that nobody is asked for, RFC 3263 §4", () => {
  it.each<[uri: string, NextHop]>([
    ["sip:192.0.2.1", { protocol: "udp", address: "192.0.2.1", port: 5060 }],
    ["sip:bob@192.0.2.1:5070", { protocol: "udp", address: "192.0.2.1", port: 5070 }],
    ["sip:[2001:DB8:0::1]:5070", { protocol: "udp", address: "2001:db8::1", port: 5070 }],
    ["sip:192.0.2.1;transport=TCP", { protocol: "tcp", address: "192.0.2.1", port: 5060 }],
    ["sip:192.0.2.1;transport=tls", { protocol: "tls", address: "192.0.2.1", port: 5061 }],
    ["sip:192.0.2.1;transport=ws", { protocol: "ws", address: "192.0.2.1", port: 80 }],
    ["sips:192.0.2.1", { protocol: "tls", address: "192.0.2.1", port: 5061 }],
    ["sips:192.0.2.1;transport=tcp", { protocol: "tls", address: "192.0.2.1", port: 5061 }],
    ["sips:192.0.2.1;transport=ws", { protocol: "wss", address: "192.0.2.1", port: 443 }],
    [
      "sips:Example.com.;maddr=192.0.2.9",
      { protocol: "tls", address: "192.0.2.9", port: 5061, domain: "example.com" },
    ],
    [
      "sip:example.com:5070;maddr=[2001:db8::9]",
      { protocol: "udp", address: "2001:db8::9", port: 5070, domain: "example.com" },
    ],
  ])("of %s are known without a promise", (uri, hop) => {
    const { resolver, asked } = bench({});
    expect(resolver.resolve(uri)).toEqual([hop]);
    expect(asked).toEqual([]);
  });

  it.each(["sip:localhost:5070", "sip:alice.localhost:5070"])("of %s are this machine", (uri) => {
    const { resolver, asked } = bench({});
    const addresses = (options: ResolveOptions): unknown =>
      (resolver.resolve(uri, options) as readonly NextHop[]).map(written);
    expect(addresses({ families: [6, 4] })).toEqual(["udp ::1 5070", "udp 127.0.0.1 5070"]);
    expect(addresses(v4)).toEqual(["udp 127.0.0.1 5070"]);
    expect(asked).toEqual([]);
  });

  it("are over TCP where there is no UDP to send by", () => {
    const { resolver } = bench({});
    const protocols: readonly Protocol[] = ["tls", "tcp"];
    expect(resolver.resolve("sip:192.0.2.1", { protocols })).toEqual([
      { protocol: "tcp", address: "192.0.2.1", port: 5060 },
    ]);
  });

  it.each([
    ["sip:192.0.2.1;transport=sctp", "SIP_TRANSPORT"],
    ["sip:192.0.2.1;transport=constructor", "SIP_TRANSPORT"],
    ["sips:192.0.2.1;transport=udp", "SIP_TRANSPORT"],
    ["sips:example.com;transport=udp", "SIP_TRANSPORT"],
    ["sip:192.0.2.1;maddr=a%20b.example", "SIP_NO_ADDRESS"],
    ["sip:df7jal23ls0d.invalid;transport=ws", "SIP_NO_ADDRESS"],
    ["sip:invalid", "SIP_NO_ADDRESS"],
    ["sip:a..example.com", "SIP_NO_ADDRESS"],
    [`sip:${"a".repeat(64)}.example.com`, "SIP_NO_ADDRESS"],
    [`sip:${"a.".repeat(128)}`, "SIP_NO_ADDRESS"],
    ["sip:127.1", "SIP_NO_ADDRESS"],
    ["sip:0x7f.1", "SIP_NO_ADDRESS"],
    ["sip:x.0x7f", "SIP_NO_ADDRESS"],
    ["sip:2130706433", "SIP_NO_ADDRESS"],
  ])("of %s there are none", (uri, code) => {
    const { resolver, asked } = bench({});
    expect(() => resolver.resolve(uri)).toThrow(TransportError);
    expect(() => resolver.resolve(uri)).toThrow(expect.objectContaining({ code }));
    expect(asked).toEqual([]);
  });

  it.each(["tel:+358-555-1234567", "http://192.0.2.1", ""])("of %j can't be asked for", (uri) => {
    expect(() => bench({}).resolver.resolve(uri)).toThrow(ParseError);
  });
});

describe("the transport of a name, RFC 3263 §4.1", () => {
  /** The RFC's example, with the addresses of its servers. */
  const zone: Zone = {
    naptr: {
      "example.com": [
        naptr(100, "SIP+D2U", "_sip._udp.example.com"),
        naptr(90, "sip+d2t", "_sip._tcp.example.com", { flags: "S" }),
        naptr(50, "SIPS+D2T", "_sips._tcp.example.com"),
        naptr(10, "SIP+D2S", "_sip._sctp.example.com"),
        naptr(5, "E2U+sip", "", { flags: "u", regexp: "!^.*$!sip:info@example.com!" }),
      ],
      "web.example.com": [
        naptr(1, "SIPS+D2W", "_sips._ws.example.com"),
        naptr(2, "SIP+D2W", "_sip._ws.example.com"),
      ],
      "school.example": [naptr(1, "SIP+D2T", "_sip._tcp.example.com")],
      "sctp.example": [naptr(1, "SIP+D2S", "_sip._sctp.example.com")],
      "bad.example": [
        naptr(1, "SIP+D2U", "_sip._udp.example.com", { flags: "a" }),
        naptr(2, "SIP+D2U", "_sip._udp.example.com", { regexp: "!.*!x!" }),
        naptr(3, "SIP+D2U", "_sip._udp.exa mple.com"),
        naptr(4, "SIP+D2U", ""),
      ],
      "equal.example": [
        naptr(1, "SIP+D2U", "_sip._udp.example.com", { preference: 20 }),
        naptr(1, "SIP+D2T", "_sip._tcp.example.com", { preference: 10 }),
        naptr(2, "SIPS+D2T", "_sips._tcp.example.com"),
      ],
      "unsafe.example": [
        naptr(1, "SIP+D2T", "_sip._tcp.example.com"),
        naptr(2, "SIPS+D2T", "_sips._tcp.example.com"),
      ],
      "lost.example": [naptr(1, "SIP+D2T", "_sip._tcp.lost.example")],
    },
    srv: {
      "_sip._udp.example.com": [srv("u.example.com", 5060)],
      "_sip._tcp.example.com": [srv("t.example.com", 5062)],
      "_sips._tcp.example.com": [srv("s.example.com", 5061)],
      "_sip._ws.example.com": [srv("w.example.com", 8080)],
      "_sips._ws.example.com": [srv("w.example.com", 8443)],
      "_sip._udp.sctp.example": [srv("u.example.com", 5070)],
      "_sip._tcp.both.example": [srv("t.example.com", 5071)],
      "_sip._udp.both.example": [srv("u.example.com", 5072)],
      "_sip._tcp.tcp.example": [srv("t.example.com", 5073)],
      "_sips._tcp.tcp.example": [srv("s.example.com", 5074)],
    },
    a: {
      "u.example.com": [["192.0.2.1", 60]],
      "t.example.com": [["192.0.2.2", 60]],
      "s.example.com": [["192.0.2.3", 60]],
      "w.example.com": [["192.0.2.4", 60]],
      "example.com": [["192.0.2.5", 60]],
      "plain.example": [["192.0.2.6", 60]],
      "lost.example": [["192.0.2.7", 60]],
      "bad.example": [["192.0.2.8", 60]],
    },
  };
  const unencrypted: readonly Protocol[] = ["udp", "tcp"];

  it.each<[uri: string, protocols: readonly Protocol[], hops: readonly string[]]>([
    // NAPTR: the lowest order that both sides speak.
    ["sip:example.com", ["udp", "tcp", "tls"], ["tls 192.0.2.3 5061"]],
    ["sip:example.com", unencrypted, ["tcp 192.0.2.2 5062"]],
    ["sip:example.com", ["udp"], ["udp 192.0.2.1 5060"]],
    ["sips:example.com", ["udp", "tcp", "tls"], ["tls 192.0.2.3 5061"]],
    ["sip:unsafe.example", ["udp", "tcp", "tls"], ["tcp 192.0.2.2 5062"]],
    ["sips:unsafe.example", ["udp", "tcp", "tls"], ["tls 192.0.2.3 5061"]],
    ["sip:web.example.com", ["ws", "wss"], ["wss 192.0.2.4 8443"]],
    ["sip:web.example.com", ["ws"], ["ws 192.0.2.4 8080"]],
    ["sips:web.example.com", ["ws", "wss"], ["wss 192.0.2.4 8443"]],
    // The replacement may be in another domain.
    ["sip:school.example", unencrypted, ["tcp 192.0.2.2 5062"]],
    // Of one order, all by preference.
    ["sip:equal.example", unencrypted, ["tcp 192.0.2.2 5062", "udp 192.0.2.1 5060"]],
    // None that is applicable, or well made, is none.
    ["sip:sctp.example", unencrypted, ["udp 192.0.2.1 5070"]],
    ["sip:bad.example", unencrypted, ["udp 192.0.2.8 5060"]],
    // NAPTR without SRV: the address, over what was chosen.
    ["sip:lost.example", unencrypted, ["tcp 192.0.2.7 5060"]],
    // No NAPTR: SRV for what we speak, the preferred first.
    ["sip:both.example", ["udp", "tcp"], ["udp 192.0.2.1 5072", "tcp 192.0.2.2 5071"]],
    ["sip:both.example", ["tcp", "udp"], ["tcp 192.0.2.2 5071", "udp 192.0.2.1 5072"]],
    ["sip:tcp.example", ["udp", "tcp", "tls"], ["tcp 192.0.2.2 5073"]],
    ["sips:tcp.example", ["udp", "tcp", "tls"], ["tls 192.0.2.3 5074"]],
    // No SRV: the address and the default.
    ["sip:plain.example", ["tcp", "udp", "tls"], ["udp 192.0.2.6 5060"]],
    ["sip:plain.example", ["tcp"], ["tcp 192.0.2.6 5060"]],
    ["sips:plain.example", ["udp", "tls"], ["tls 192.0.2.6 5061"]],
    // A transport that is named rules NAPTR out.
    ["sip:example.com;transport=udp", ["udp", "tcp", "tls"], ["udp 192.0.2.1 5060"]],
    ["sip:example.com;transport=tls", ["udp", "tcp", "tls"], ["tls 192.0.2.3 5061"]],
    ["sips:example.com;transport=tcp", ["udp", "tcp", "tls"], ["tls 192.0.2.3 5061"]],
    ["sip:example.com;transport=ws", ["ws"], ["ws 192.0.2.4 8080"]],
    ["sips:example.com;transport=ws", ["wss"], ["wss 192.0.2.4 8443"]],
    ["sip:plain.example;transport=tcp", ["udp", "tcp"], ["tcp 192.0.2.6 5060"]],
    ["sip:plain.example;transport=ws", ["ws"], ["ws 192.0.2.6 80"]],
    // A port rules SRV out, even 5060.
    ["sip:example.com:5060", ["udp", "tcp"], ["udp 192.0.2.5 5060"]],
    ["sip:example.com:5080;transport=tcp", ["udp", "tcp"], ["tcp 192.0.2.5 5080"]],
    ["sips:example.com:5081", ["udp", "tls"], ["tls 192.0.2.5 5081"]],
    // maddr is the target.
    ["sip:plain.example;maddr=example.com", ["udp"], ["udp 192.0.2.1 5060"]],
    ["sip:192.0.2.99;maddr=Example.COM.", ["udp"], ["udp 192.0.2.1 5060"]],
  ])("of %s with %j is %j", async (uri, protocols, hops) => {
    expect(await bench(zone).hops(uri, { ...v4, protocols })).toEqual(hops);
  });

  it.each([
    ["sip:example.com", ["naptr example.com", "srv _sips._tcp.example.com", "a s.example.com"]],
    ["sip:example.com;transport=tcp", ["srv _sip._tcp.example.com", "a t.example.com"]],
    ["sip:example.com:5060", ["a example.com"]],
    [
      "sip:plain.example",
      [
        "naptr plain.example",
        "srv _sip._udp.plain.example",
        "srv _sip._tcp.plain.example",
        "a plain.example",
      ],
    ],
    ["sips:tcp.example", ["naptr tcp.example", "srv _sips._tcp.tcp.example", "a s.example.com"]],
    [
      "sip:bad.example",
      [
        "naptr bad.example",
        "srv _sip._udp.bad.example",
        "srv _sip._tcp.bad.example",
        "a bad.example",
      ],
    ],
  ])("asks for %s no more than it takes", async (uri, questions) => {
    const { hops, asked } = bench(zone);
    await hops(uri, v4);
    expect(asked).toEqual(questions);
  });

  it.each([
    "sips:example.com",
    "sips:example.com;transport=tcp",
    "sips:example.com:5061",
    "sips:plain.example;maddr=example.com",
  ])("leaves the domain of %s to be proved, wherever DNS leads", async (uri) => {
    const [hop] = await bench(zone).resolver.resolve(uri, v4);
    expect(hop).toMatchObject({ domain: uri.includes("plain") ? "plain.example" : "example.com" });
  });
});

describe("places of a service, RFC 3263 §4.2, RFC 2782", () => {
  it("come by priority, each with its addresses in the order of our families", async () => {
    const { hops } = bench({
      srv: {
        "_sip._udp.example.com": [srv("b.example.com", 5070, 20), srv("A.example.com.", 5060, 10)],
      },
      a: { "a.example.com": [["192.0.2.1", 60]], "b.example.com": [["192.0.2.2", 60]] },
      aaaa: { "a.example.com": [["2001:db8:0::1", 60]] },
    });
    const uri = "sip:example.com;transport=udp";
    expect(await hops(uri, { families: [6, 4] })).toEqual([
      "udp 2001:db8::1 5060",
      "udp 192.0.2.1 5060",
      "udp 192.0.2.2 5070",
    ]);
    expect(await hops(uri, { families: [4] })).toEqual([
      "udp 192.0.2.1 5060",
      "udp 192.0.2.2 5070",
    ]);
  });

  it("are one where records say the same twice", async () => {
    const { hops } = bench({
      srv: { "_sip._udp.a.example": [srv("x.example"), srv("y.example"), srv("x.example")] },
      a: { "x.example": [["192.0.2.1", 60]], "y.example": [["192.0.2.1", 60]] },
    });
    expect(await hops("sip:a.example;transport=udp", v4)).toEqual(["udp 192.0.2.1 5060"]);
  });

  it("are none where the target is the root, and addresses aren't asked for", async () => {
    const { hops, asked } = bench({
      srv: { "_sip._udp.example.com": [srv("", 0)] },
      a: { "example.com": [["192.0.2.1", 60]] },
    });
    await expect(hops("sip:example.com;transport=udp", v4)).rejects.toMatchObject({
      code: "SIP_NO_ADDRESS",
      message: "no address for example.com: the domain says that it has no such service",
    });
    expect(asked).toEqual(["srv _sip._udp.example.com"]);
  });

  it("leave out what the root rules out", async () => {
    const { hops } = bench({
      srv: { "_sip._udp.a.example": [srv("", 0)], "_sip._tcp.a.example": [srv("x.example")] },
      a: { "x.example": [["192.0.2.1", 60]] },
    });
    expect(await hops("sip:a.example", v4)).toEqual(["tcp 192.0.2.1 5060"]);
  });

  it("are looked for in DNS alone", async () => {
    const { hops, asked } = bench({
      srv: { "_sip._udp.a.example": [srv("intranet"), srv("db.internal")] },
      machine: { intranet: ["10.0.0.1"], "db.internal": ["10.0.0.2"] },
    });
    await expect(hops("sip:a.example;transport=udp", v4)).rejects.toThrow(
      "the hosts of its SRV records have none",
    );
    expect(asked).toEqual(["srv _sip._udp.a.example", "a intranet", "a db.internal"]);
  });
});

describe("what the machine says", () => {
  it("is all that is asked for a name without a dot", async () => {
    const { hops, asked } = bench({ machine: { pbx: ["2001:db8::1", "10.0.0.1"] } });
    expect(await hops("sip:PBX;transport=tcp")).toEqual([
      "tcp 2001:db8::1 5060",
      "tcp 10.0.0.1 5060",
    ]);
    expect(await hops("sip:pbx", v4)).toEqual(["udp 10.0.0.1 5060"]);
    expect(asked).toEqual(["machine pbx"]);
  });

  it("counts where DNS has no address", async () => {
    const { hops, asked } = bench({ machine: { "pbx.lan": ["10.0.0.1"] } });
    expect(await hops("sip:pbx.lan:5070")).toEqual(["udp 10.0.0.1 5070"]);
    expect(asked).toEqual(["a pbx.lan", "aaaa pbx.lan", "machine pbx.lan"]);
  });

  it("doesn't count where DNS has one", async () => {
    const { hops, asked } = bench({
      a: { "pbx.lan": [["192.0.2.1", 60]] },
      machine: { "pbx.lan": ["10.0.0.1"] },
    });
    expect(await hops("sip:pbx.lan:5070")).toEqual(["udp 192.0.2.1 5070"]);
    expect(asked).not.toContain("machine pbx.lan");
  });

  it("counts where no DNS server answers, who is asked two rounds of questions and no third", async () => {
    const dead = { "pbx.lan": "ETIMEOUT" };
    const { hops, asked, resolver } = bench({
      naptr: dead,
      srv: { "_sip._udp.pbx.lan": "ETIMEOUT", "_sip._tcp.pbx.lan": "ETIMEOUT" },
      a: dead,
      machine: { "pbx.lan": ["10.0.0.1"] },
    });
    expect(await hops("sip:pbx.lan", v4)).toEqual(["udp 10.0.0.1 5060"]);
    expect(asked).toEqual([
      "naptr pbx.lan",
      "a pbx.lan",
      "srv _sip._udp.pbx.lan",
      "srv _sip._tcp.pbx.lan",
      "machine pbx.lan",
    ]);
    expect(resolver.counters?.()).toEqual({ dnsQueries: 5, dnsFailures: 4, dnsRefused: 0 });
  });
});

describe("a name that leads nowhere", () => {
  it("fails with a transport error that says so", async () => {
    await expect(bench({}).hops("sip:nobody.example.com")).rejects.toMatchObject({
      code: "SIP_NO_ADDRESS",
      status: 503,
      message: "no address for nobody.example.com: there is no such name",
    });
  });

  it("is no fault of the server that says it has no such record", async () => {
    const none = { "a.example": "ENODATA" };
    const { hops, resolver } = bench({ naptr: none, a: none, aaaa: none, machine: none });
    await expect(hops("sip:a.example")).rejects.toThrow("there is no such name");
    expect(resolver.counters?.()).toEqual({ dnsQueries: 6, dnsFailures: 0, dnsRefused: 0 });
  });

  it("fails with the reason where somebody couldn't tell", async () => {
    const { hops } = bench({ naptr: { "a.example": "ESERVFAIL" } });
    await expect(hops("sip:a.example")).rejects.toMatchObject({
      code: "SIP_NO_ADDRESS",
      message: "no address for a.example: the look-up failed",
      cause: { code: "ESERVFAIL" },
    });
  });

  it("is passed over when another question has led somewhere", async () => {
    const { hops } = bench({
      naptr: { "a.example": "ESERVFAIL" },
      srv: { "_sip._udp.a.example": "ETIMEOUT", "_sip._tcp.a.example": [srv("x.example")] },
      a: { "x.example": [["192.0.2.1", 60]] },
      aaaa: { "x.example": "EREFUSED" },
    });
    expect(await hops("sip:a.example")).toEqual(["tcp 192.0.2.1 5060"]);
  });
});

describe("what is kept", () => {
  const uri = "sip:a.example:5060";

  it("is answered without a promise", async () => {
    const zone: Zone = {
      srv: { "_sip._udp.a.example": [srv("x.example")] },
      a: { "x.example": [["192.0.2.1", 60]] },
    };
    const { resolver, hops, asked } = bench(zone);
    const first = await hops("sip:a.example", v4);
    const questions = asked.length;
    const again = resolver.resolve("sip:bob@A.Example.;user=phone", v4);
    expect(again).not.toBeInstanceOf(Promise);
    expect((again as readonly NextHop[]).map(written)).toEqual(first);
    expect(asked).toHaveLength(questions);
  });

  it.each([
    ["the shortest TTL of its addresses", [60, 20, 40], 20_000],
    ["a second at least", [0], 1_000],
    ["a day at most", [2_000_000_000], 86_400_000],
  ])("holds for %s", async (_, ttls, time) => {
    const addresses = ttls.map((ttl, n) => [`192.0.2.${n + 1}`, ttl] as const);
    const { resolver, hops, clock, asked } = bench({ a: { "a.example": addresses } });
    await hops(uri, v4);
    await clock.advance(time - 1);
    expect(resolver.resolve(uri, v4)).not.toBeInstanceOf(Promise);
    await clock.advance(1);
    expect(await hops(uri, v4)).toHaveLength(ttls.length);
    expect(asked).toEqual(["a a.example", "a a.example"]);
  });

  it("of services holds for keepFor", async () => {
    const { hops, clock, asked } = bench(
      {
        naptr: { "a.example": [naptr(1, "SIP+D2U", "_sip._udp.a.example")] },
        srv: { "_sip._udp.a.example": [srv("x.example")] },
        a: { "x.example": [["192.0.2.1", 3_600]] },
      },
      { keepFor: 12_000 },
    );
    await hops("sip:a.example", v4);
    await clock.advance(11_999);
    await hops("sip:a.example", v4);
    expect(asked).toHaveLength(3);
    await clock.advance(1);
    await hops("sip:a.example", v4);
    expect(asked.slice(3)).toEqual(["naptr a.example", "srv _sip._udp.a.example"]);
  });

  it("of a name that doesn't exist holds for a sixth of keepFor", async () => {
    const { resolver, hops, clock, asked } = bench({}, { keepFor: 12_000 });
    await expect(hops(uri, v4)).rejects.toThrow(TransportError);
    await clock.advance(1_999);
    expect(() => resolver.resolve(uri, v4)).toThrow("there is no such name");
    expect(asked).toHaveLength(2);
    await clock.advance(1);
    await expect(hops(uri, v4)).rejects.toThrow(TransportError);
    expect(asked).toHaveLength(4);
  });

  it("of a server that doesn't answer is kept for a moment, so that it is left in peace", async () => {
    const { resolver, hops, clock, asked } = bench({ a: { "a.example": "ETIMEOUT" } });
    await expect(hops(uri, v4)).rejects.toThrow("the look-up failed");
    await clock.advance(1_999);
    expect(() => resolver.resolve(uri, v4)).toThrow("the look-up failed");
    await clock.advance(1);
    await expect(hops(uri, v4)).rejects.toThrow("the look-up failed");
    expect(asked.filter((question) => question.startsWith("a "))).toHaveLength(2);
  });

  it("is shared by all who ask at the same time", async () => {
    const { hops, asked } = bench({ a: { "a.example": [["192.0.2.1", 60]] } });
    const both = await Promise.all([hops(uri, v4), hops("sip:x@A.example:1;transport=tcp", v4)]);
    expect(both.flat()).toEqual(["udp 192.0.2.1 5060", "tcp 192.0.2.1 1"]);
    expect(asked).toEqual(["a a.example"]);
  });

  it("is bounded in names, the oldest going first", async () => {
    const machine = { a: ["192.0.2.1"], b: ["192.0.2.2"], c: ["192.0.2.3"] };
    const { hops, asked } = bench({ machine }, { maxNames: 2 });
    for (const name of ["a", "b", "c", "b", "a"]) await hops(`sip:${name}`);
    expect(asked).toEqual(["machine a", "machine b", "machine c", "machine a"]);
  });

  it("makes no other name forgotten when it is asked again", async () => {
    const { hops, clock, asked } = bench(
      { a: { "a.example": [["192.0.2.1", 60]], "b.example": [["192.0.2.2", 1]] } },
      { maxNames: 2 },
    );
    for (const name of ["a", "b"]) await hops(`sip:${name}.example:5060`, v4);
    await clock.advance(1_000);
    for (const name of ["b", "a"]) await hops(`sip:${name}.example:5060`, v4);
    expect(asked).toEqual(["a a.example", "a b.example", "a b.example"]);
  });

  it("doesn't have to be kept for a request to come to its end", async () => {
    const { hops } = bench(
      {
        srv: { "_sip._udp.a.example": [srv("x.example", 1, 1), srv("y.example", 2, 2)] },
        a: { "x.example": [["192.0.2.1", 0]], "y.example": [["192.0.2.2", 0]] },
      },
      { maxNames: 1 },
    );
    expect(await hops("sip:a.example", v4)).toEqual(["udp 192.0.2.1 1", "udp 192.0.2.2 2"]);
  });

  it("is bounded in questions at once, of the machine by a fourth; more fail and are counted", async () => {
    const addresses = Object.fromEntries(
      ["a", "b", "c", "d", "e"].map((name) => [`${name}.example`, [["192.0.2.1", 60]] as const]),
    );
    const { hops, resolver } = bench(
      { a: addresses, machine: { x: ["192.0.2.1"], y: ["192.0.2.2"] } },
      { maxPending: 4 },
    );
    const all = ["a.example", "b.example", "c.example", "d.example", "e.example", "x", "y"];
    const ends = await Promise.allSettled(all.map((name) => hops(`sip:${name}:5060`, v4)));
    // The fifth isn't asked, neither of DNS nor of the machine, which is asked for x; so isn't y.
    expect(ends.map(({ status }) => status)).toEqual([
      ...["fulfilled", "fulfilled", "fulfilled", "fulfilled", "rejected"],
      ...["fulfilled", "rejected"],
    ]);
    expect(resolver.counters?.().dnsRefused).toBe(3);
    expect(await hops("sip:y")).toEqual(["udp 192.0.2.2 5060"]);
    expect(await hops("sip:e.example:5060", v4)).toEqual(["udp 192.0.2.1 5060"]);
  });
});

describe("what strangers put into DNS", () => {
  const many = Array.from({ length: 40 }, (_, n) => n);

  it("leads to 64 hops at most, and to questions about 16 hosts", async () => {
    const { hops, asked } = bench({
      naptr: {
        "a.example": many.map((n) => naptr(1, "SIP+D2U", `_${n}.a.example`)),
      },
      srv: Object.fromEntries(
        many.map((n) => [`_${n}.a.example`, many.map((m) => srv(`h${n}-${m}.example`, 5060, m))]),
      ),
      a: Object.fromEntries(
        many.flatMap((n) =>
          many.map((m) => [
            `h${n}-${m}.example`,
            many.map((host) => [`10.${n}.${m}.${host}`, 60] as const),
          ]),
        ),
      ),
    });
    expect(await hops("sip:a.example", v4)).toHaveLength(64);
    const count = (kind: string): number => asked.filter((q) => q.startsWith(kind)).length;
    expect([count("naptr "), count("srv "), count("a ")]).toEqual([1, 16, 16]);
  });

  it("leads to 16 addresses of a host at most", async () => {
    const { hops } = bench({
      a: { "a.example": many.map((n) => [`192.0.2.${n + 1}`, 60] as const) },
    });
    expect(await hops(uriOf("a.example"), v4)).toHaveLength(16);
  });

  it.each([
    ["a name that may not be asked for", srv("x y.example")],
    ["an address instead of a name", srv("192.0.2.1")],
    ["a name of nobody", srv("x.invalid")],
    ["port 0", srv("x.example", 0)],
    ["a very long name", srv(`${"a.".repeat(200)}example`)],
  ])("leads nowhere with %s, as if there were no record", async (_, record) => {
    const { hops, asked } = bench({
      srv: { "_sip._udp.a.example": [record] },
      a: { "a.example": [["192.0.2.9", 60]], "x.example": [["192.0.2.1", 60]] },
    });
    expect(await hops("sip:a.example;transport=udp", v4)).toEqual(["udp 192.0.2.9 5060"]);
    expect(asked).toEqual(["srv _sip._udp.a.example", "a a.example"]);
  });

  it("leads neither to every address of this machine nor twice to the same", async () => {
    const { hops } = bench({
      a: {
        "a.example": [
          ["0.0.0.0", 60],
          ["192.0.2.1", 60],
          ["192.0.2.1", 60],
        ],
      },
      aaaa: { "a.example": [["::", 60]] },
    });
    expect(await hops(uriOf("a.example"))).toEqual(["udp 192.0.2.1 5060"]);
  });
});

function uriOf(host: string): string {
  return `sip:${host}:5060`;
}

describe("options of dnsResolver", () => {
  it.each([
    { servers: ["dns.example.com"] },
    { timeout: 0 },
    { timeout: 1.5 },
    { tries: Number.NaN },
    { keepFor: -1 },
    { maxNames: 0 },
    { maxPending: 0 },
  ])("refuse %j", (options) => {
    expect(() => dnsResolver(options)).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });
});
