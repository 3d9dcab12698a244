import {
  type AnyHandler,
  type Connection,
  dialogRoute,
  type Identity,
  identity,
  onRequest,
  type Peer,
  type Response,
} from "@sipkit/core";
import { ask, TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { Authorize } from "./authorize.ts";
import { allOf, anyOf, anyone, authenticated, not, type Permission } from "./permission.ts";
import {
  anonymousFrom,
  calls,
  certifiedAs,
  comesFrom,
  memberOf,
  speaksAs,
} from "./permissions-by.ts";
import { Permit, type PermitTable } from "./permit.ts";
import { TrustedPeers } from "./trusted-peers.ts";

const alice: Identity = {
  user: "alice",
  realm: "example.com",
  addressOfRecord: "sip:alice@example.com",
  scheme: "digest MD5",
};

const known = onRequest("*", (request) => {
  request.set(identity, alice);
});

const serve: AnyHandler = (packet) =>
  packet.isRequest && packet.method !== "ACK" && packet.createResponse(200);

/** What a request of alice's, or of a stranger's, gets where this is permitted. */
async function told(
  table: PermitTable,
  text: string,
  who: "alice" | "stranger" = "alice",
  from: Partial<Peer> = {},
): Promise<number> {
  const chain = [...(who === "alice" ? [known] : []), new Permit(table), serve];
  const { sent } = await ask(chain, text, { from });
  return (sent[0] as Response | undefined)?.status ?? 0;
}

/** Whether a condition holds for a request of alice's. */
async function holds(
  permission: Permission,
  text: string,
  from: Partial<Peer> = {},
): Promise<boolean> {
  const status = await told({ "*": permission }, text, "alice", from);
  expect([200, 403]).toContain(status);
  return status === 200;
}

const to = (uri: string): string => `INVITE ${uri} SIP/2.0`;
const as = (from: string): string => `${to("sip:bob@example.com")}\nFrom: <${from}>;tag=1`;

const OUT_OF_DIALOG = [
  "INVITE",
  "MESSAGE",
  "SUBSCRIBE",
  "PUBLISH",
  "REFER",
  "NOTIFY",
  "OPTIONS",
  "INFO",
  "UPDATE",
  "PRACK",
  "BYE",
  "REGISTER",
  "BREW",
  "invite",
];

describe("methods outside of dialogs", () => {
  it.each(OUT_OF_DIALOG)(
    "%s is challenged by Authorize, to a user and within no dialog of ours",
    async (method) => {
      const chain = [
        new Authorize({ realm: "example.com", credentials: {}, allowPings: true }),
        serve,
      ];
      for (const more of [
        "",
        "\nTo: <sip:bob@example.com>;tag=b",
        "\nX-Bypass: 1\nAuthorization: Basic YWxpY2U6c2VjcmV0",
      ]) {
        const { sent } = await ask(chain, `${method} sip:bob@example.com SIP/2.0${more}`);
        expect((sent[0] as Response).status).toBe(method === "REGISTER" ? 401 : 407);
      }
    },
  );

  it.each(OUT_OF_DIALOG)(
    "%s is for nobody but who proved himself, unless it is opened by name",
    async (method) => {
      const text = `${method} sip:bob@example.com SIP/2.0`;
      expect(await told({}, text, "stranger")).toBe(403);
      expect(await told({}, text)).toBe(200);
      expect(await told({ [method]: anyone }, text, "stranger")).toBe(200);
      expect(await told({ PING: anyone }, text, "stranger")).toBe(403);
    },
  );
});

describe("Permit", () => {
  it("has one rule for the methods that aren't named", async () => {
    const table: PermitTable = { MESSAGE: anyone, "*": memberOf(["bob"]) };
    expect(await told(table, to("sip:bob@example.com"))).toBe(403);
    expect(await told(table, "MESSAGE sip:bob@example.com SIP/2.0")).toBe(200);
  });

  it("lets ACK and what is within a dialog of ours pass", async () => {
    const inDialog = onRequest("BYE", (request) => {
      request.set(dialogRoute, { side: "a", flow: undefined });
    });
    const chain = [inDialog, new Permit({ "*": not(anyone) }), serve];
    const bye = await ask(chain, "BYE sip:bob@example.com SIP/2.0");
    expect((bye.sent[0] as Response).status).toBe(200);
    const server = await TestServer.start(chain);
    await server.ask("ACK sip:bob@example.com SIP/2.0");
    await server.ask("OPTIONS sip:bob@example.com SIP/2.0");
    expect(server.dispatcher.counters()).toMatchObject({ unclaimedAcks: 1, notPermitted: 1 });
    await server.close();
  });

  it("takes whatever isn't true for no, also from untyped code", async () => {
    for (const given of [1, "yes", {}, undefined, null, Promise.resolve("yes")]) {
      const permission = (() => given) as unknown as Permission;
      expect(await told({ "*": permission }, to("sip:bob@example.com"))).toBe(403);
    }
  });

  it("answers 500 where a condition throws or rejects", async () => {
    const fails: Permission = () => {
      throw new Error("down");
    };
    const rejects: Permission = () => Promise.reject(new Error("down"));
    for (const permission of [fails, rejects, not(fails), not(rejects), anyOf(fails, anyone)]) {
      expect(await told({ "*": permission }, to("sip:bob@example.com"))).toBe(500);
    }
  });

  it("refuses what is no condition when it is made", () => {
    expect(() => new Permit({ INVITE: true as unknown as Permission })).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });
});

describe("conditions together", () => {
  const yes: Permission = () => true;
  const no: Permission = () => false;
  const later =
    (permission: Permission): Permission =>
    async (...asked) =>
      permission(...asked);

  it.each<[string, Permission, boolean]>([
    ["all of none", allOf(), true],
    ["any of none", anyOf(), false],
    ["all", allOf(yes, later(yes), yes), true],
    ["all but one", allOf(yes, later(yes), no), false],
    ["all but one that comes later", allOf(yes, later(no), yes), false],
    ["any", anyOf(no, later(no), yes), true],
    ["any that comes later", anyOf(no, later(yes), no), true],
    ["none", anyOf(no, later(no), no), false],
    ["not", not(no), true],
    ["not, later", not(later(yes)), false],
    ["nested", allOf(not(anyOf(no, later(no))), yes), true],
    ["something that isn't true", not((() => 1) as unknown as Permission), true],
  ])("%s", async (_what, permission, expected) => {
    expect(await holds(permission, to("sip:bob@example.com"))).toBe(expected);
  });

  it("are asked up to the one that decides", async () => {
    const asked: string[] = [];
    const note =
      (name: string, holdsIt: boolean): Permission =>
      () => {
        asked.push(name);
        return holdsIt;
      };
    await holds(anyOf(note("a", false), note("b", true), note("c", true)), to("sip:b@example.com"));
    await holds(allOf(note("d", true), note("e", false), note("f", true)), to("sip:b@example.com"));
    expect(asked).toEqual(["a", "b", "d", "e"]);
  });
});

describe("calls", () => {
  it.each<[string, string, boolean]>([
    ["sip:*@example.com", "sip:bob@example.com", true],
    ["sip:*@example.com", "sips:bob@EXAMPLE.com;transport=tcp", true],
    ["sip:*@example.com", "sip:bob@example.org", false],
    ["sip:*@example.com", "sip:bob@example.com.evil.example", false],
    ["sip:*@example.com", "sip:example.com", false],
    ["sip:example.com", "sip:example.com", true],
    ["sip:example.com", "sip:bob@example.com", false],
    ["sip:*@example.com", "sip:bob@192.0.2.1", true],
    ["sip:bob@example.com", "sip:%62ob@example.com", true],
    ["sip:bob@example.com", "sip:bobby@example.com", false],
    ["sip:+49*@*", "sip:+4930123@gw.example.net", true],
    ["sip:+49*@*", "sip:+4-9.(30)123@gw.example.net", true],
    ["sip:+49*@*", "sip:+49;npdi;rn=+1@gw.example.net", true],
    ["sip:+49*@*", "sip:+31@gw.example.net", false],
    ["sip:911@*", "sip:9-1-1@example.com", true],
    ["sip:*@*.example.org", "sip:a@b.example.org", true],
    ["sip:*@*.example.org", "sip:a@example.org", false],
    ["tel:+49*", "tel:+49-30-123;phone-context=x", true],
    ["tel:+49*", "tel:+31-30-123", false],
    ["tel:*", "sip:+4930@example.com", false],
    ["sip:*@*", "tel:+4930", false],
    ["sip:*@*", "urn:service:sos", false],
  ])("%s %s: %s", async (pattern, uri, expected) => {
    // A scheme that isn't SIP is refused before a handler sees it, so the condition is asked itself.
    const server = await TestServer.start([]);
    const request = { uri, headers: new Map() };
    const asked = [request, alice, server.dispatcher] as unknown as Parameters<Permission>;
    expect(await calls(pattern)(...asked)).toBe(expected);
    await server.close();
  });

  it("don't count with a Route of the sender's own, which leads elsewhere", async () => {
    const text = to("sip:bob@example.com");
    expect(await holds(calls("sip:*@example.com"), text)).toBe(true);
    expect(await holds(calls("sip:*@example.com"), `${text}\nRoute: <sip:gw.example.net;lr>`)).toBe(
      false,
    );
  });

  it.each([
    "bob@example.com",
    "sip:",
    "sip:@example.com",
    "sip:a*b@example.com",
    "sip:**@x",
    "https://x",
  ])("refuses the pattern %s", (pattern) => {
    expect(() => calls(pattern)).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });
});

describe("conditions on who sends", () => {
  const text = to("sip:bob@example.com");

  it("memberOf", async () => {
    expect(await holds(memberOf(["alice"]), text)).toBe(true);
    expect(await holds(memberOf("alice"), text)).toBe(true);
    expect(await holds(memberOf(new Set(["bob"])), text)).toBe(false);
    const group = async (user: string, realm: string): Promise<boolean> =>
      user === "alice" && realm === "example.com";
    expect(await holds(memberOf(group), text)).toBe(true);
    expect(await told({ "*": memberOf(() => true) }, text, "stranger")).toBe(403);
    expect(await told({ "*": memberOf(["alice"]) }, text, "stranger")).toBe(403);
  });

  it("authenticated", async () => {
    expect(await told({ "*": authenticated }, text, "stranger")).toBe(403);
    expect(await holds(authenticated, text)).toBe(true);
  });

  it.each<[string, boolean]>([
    ["sip:alice@example.com", true],
    ["sips:%61lice@EXAMPLE.com;user=phone", true],
    ["sip:sales@example.com", true],
    ["sip:bob@example.com", false],
    ["sip:alice@example.org", false],
    ["sip:constructor@example.com", false],
    ["tel:+4930", false],
  ])("speaksAs: %s %s", async (from, expected) => {
    const owned = { alice: ["sip:sales@example.com"], bob: "sip:bob@example.com" };
    expect(await holds(speaksAs(owned), as(from))).toBe(expected);
    expect(
      await holds(
        speaksAs(async (user) => owned[user as "alice"]),
        as(from),
      ),
    ).toBe(expected);
    expect(await told({ "*": speaksAs(owned) }, as(from), "stranger")).toBe(403);
  });

  it("anonymousFrom", async () => {
    expect(await holds(anonymousFrom, as("sip:anonymous@Anonymous.invalid"))).toBe(true);
    expect(await holds(anonymousFrom, as("sip:anonymous@example.com"))).toBe(false);
  });

  it("comesFrom", async () => {
    const from = { address: "192.0.2.9" };
    expect(await holds(comesFrom("192.0.2.8/30"), text, from)).toBe(true);
    expect(await holds(comesFrom("192.0.2.12", "2001:db8::/32"), text, from)).toBe(false);
    expect(() => comesFrom("example.com")).toThrow(/comesFrom/);
  });

  it("certifiedAs", async () => {
    const connection: Connection = { id: 1, open: true, identities: ["sip.partner.example"] };
    expect(await holds(certifiedAs("SIP.partner.example"), text, { connection })).toBe(true);
    expect(await holds(certifiedAs("partner.example"), text, { connection })).toBe(false);
    expect(await holds(certifiedAs("sip.partner.example"), text)).toBe(false);
  });
});

describe("TrustedPeers", () => {
  const trusted = new TrustedPeers([
    { name: "pstn", addresses: ["192.0.2.8/30"], methods: ["INVITE"] },
    { name: "partner", identities: ["sip.partner.example"] },
    { name: "both", addresses: ["198.51.100.1"], identities: ["both.example"] },
  ]);
  const seen: (Identity | undefined)[] = [];
  const chain: readonly AnyHandler[] = [
    trusted,
    new Authorize({ realm: "example.com", credentials: { alice: "secret" } }),
    (packet) => {
      if (packet.isRequest) seen.push(packet.get(identity));
    },
    serve,
  ];

  async function status(method: string, from: Partial<Peer>, more = ""): Promise<number> {
    const { sent } = await ask(chain, `${method} sip:bob@example.com SIP/2.0${more}`, { from });
    return (sent[0] as Response).status;
  }

  const over = (address: string, ...identities: string[]): Partial<Peer> => ({
    address,
    connection: { id: 1, open: true, identities },
  });

  it("lets an address send the methods on its list, as who it is", async () => {
    expect(await status("INVITE", { address: "192.0.2.9" })).toBe(200);
    expect(seen.pop()).toMatchObject({ user: "pstn", scheme: "address" });
    expect(await status("MESSAGE", { address: "192.0.2.9" })).toBe(407);
    expect(await status("INVITE", { address: "192.0.2.12" })).toBe(407);
  });

  it("lets who proves a name by certificate send everything but REGISTER", async () => {
    const from = over("203.0.113.1", "other.example", "sip.partner.example");
    expect(await status("BREW", from)).toBe(200);
    expect(seen.pop()).toMatchObject({ user: "partner", scheme: "certificate" });
    expect(await status("REGISTER", from)).toBe(401);
    expect(await status("INVITE", over("203.0.113.1", "evil.example"))).toBe(407);
  });

  it("wants both where both are named", async () => {
    expect(await status("INVITE", over("198.51.100.1", "both.example"))).toBe(200);
    expect(await status("INVITE", over("198.51.100.2", "both.example"))).toBe(407);
    expect(await status("INVITE", over("198.51.100.1"))).toBe(407);
  });

  it("believes no header", async () => {
    const lies =
      "\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKlie;received=192.0.2.9\nX-Real-IP: 192.0.2.9\n" +
      "P-Asserted-Identity: <sip:pstn@sip.partner.example>\nFrom: <sip:x@sip.partner.example>;tag=1";
    expect(await status("INVITE", { address: "203.0.113.1" }, lies)).toBe(407);
  });

  it("takes the realm's credentials out of what passes", async () => {
    let left: string | undefined = "none seen";
    const { sent } = await ask(
      [
        ...chain.slice(0, 2),
        (packet) => {
          left = packet.headers.get("proxy-authorization");
        },
        serve,
      ],
      'INVITE sip:bob@example.com SIP/2.0\nProxy-Authorization: Digest realm="example.com", username="a", nonce="n", uri="sip:b", response="0"',
      { from: { address: "192.0.2.9" } },
    );
    expect([(sent[0] as Response).status, left]).toEqual([200, undefined]);
  });

  it.each([[{ name: "x" }], [{ name: "", addresses: [] }], [{ name: "x", addresses: ["host"] }]])(
    "refuses %o",
    (peer) => {
      expect(() => new TrustedPeers([peer])).toThrow(
        expect.objectContaining({ code: "SIP_BAD_OPTION" }),
      );
    },
  );
});
