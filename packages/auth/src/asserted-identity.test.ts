import {
  type AnyHandler,
  type Identity,
  identity,
  onRequest,
  type Peer,
  type Request,
  type Response,
} from "@sipkit/core";
import { ask, TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { AssertedIdentity, type AssertedIdentityOptions } from "./asserted-identity.ts";
import { TrustedPeers } from "./trusted-peers.ts";

const ASSERTED = "P-Asserted-Identity";
const gateway = { address: "192.0.2.8" };
const trusted = new TrustedPeers([
  { name: "pstn", addresses: [gateway.address] },
  { name: "partner", identities: ["sip.partner.example"] },
]);

function proved(user: string): AnyHandler {
  const addressOfRecord = `sip:${user}@example.com`;
  const found: Identity = { user, realm: "example.com", addressOfRecord, scheme: "digest MD5" };
  return onRequest("*", (request) => {
    request.set(identity, found);
  });
}

const alice = proved("alice");

/** What the handlers behind it see of a request: P-Asserted-Identity and P-Preferred-Identity. */
async function seen(
  lines: string,
  {
    who,
    from,
    method = "INVITE",
    ...options
  }: AssertedIdentityOptions & {
    readonly who?: AnyHandler;
    readonly from?: Partial<Peer>;
    readonly method?: string;
  } = {},
): Promise<readonly (readonly string[])[]> {
  let found: readonly (readonly string[])[] = [];
  const look: AnyHandler = ({ headers }) => {
    found = [headers.getAll(ASSERTED), headers.getAll("P-Preferred-Identity")];
  };
  await ask(
    [...(who === undefined ? [] : [who]), new AssertedIdentity(options), look],
    `${method} sip:bob@example.com SIP/2.0${lines === "" ? "" : `\n${lines}`}`,
    from && { from },
  );
  return found;
}

describe("P-Asserted-Identity, RFC 3325 §5", () => {
  it("is set for who proved himself", async () => {
    expect(await seen("", { who: alice })).toEqual([["<sip:alice@example.com>"], []]);
  });

  it.each(["P-Asserted-Identity", "p-asserted-identity"])(
    "is taken off what strangers write as %s",
    async (name) => {
      const lies = `${name}: "Bob" <sip:bob@example.com>, <tel:+4930>\n${name}: <sip:x@example.com>`;
      expect(await seen(lies)).toEqual([[], []]);
      expect(await seen(lies, { trusted })).toEqual([[], []]);
      expect(await seen(lies, { who: alice })).toEqual([["<sip:alice@example.com>"], []]);
    },
  );

  it("stays as a trusted peer wrote it, and is not made up where it wrote none", async () => {
    const lines = "P-Asserted-Identity: <sip:+4930@gw.example.net>, <tel:+4930>";
    const told = [["<sip:+4930@gw.example.net>", "<tel:+4930>"], []];
    expect(await seen(lines, { trusted, from: gateway })).toEqual(told);
    expect(await seen(lines, { who: trusted, from: gateway })).toEqual(told);
    expect(await seen("", { who: trusted, trusted, from: gateway })).toEqual([[], []]);
    expect(await seen(lines, { trusted, from: { address: "192.0.2.9" } })).toEqual([[], []]);
  });

  it.each(["REGISTER", "ACK", "INFO", "PRACK"])("isn't set on %s", async (method) => {
    const lines = "P-Asserted-Identity: <sip:x@example.com>";
    expect(await seen(lines, { who: alice, method })).toEqual([[], []]);
  });

  it("is written so that no user's name can make another of it", async () => {
    const who = proved('a>,<sip:bob@example.com>;x="é');
    const [[value] = []] = await seen("", { who });
    expect(value).toBe("<sip:a%3E,%3Csip%3Abob%40example.com%3E;x=%22%C3%A9@example.com>");
  });

  it("is what the operator says, now or later, or nothing", async () => {
    const values = ['"Alice" <sip:alice@example.com>', "<tel:+4930>"];
    expect(await seen("", { who: alice, assert: () => values })).toEqual([values, []]);
    expect(await seen("", { who: alice, assert: async ({ user }) => `<sip:${user}@x>` })).toEqual([
      ["<sip:alice@x>"],
      [],
    ]);
    expect(await seen("", { who: alice, assert: () => undefined })).toEqual([[], []]);
    expect(await seen("", { who: alice, assert: () => [] })).toEqual([[], []]);
  });
});

describe("P-Preferred-Identity, RFC 3325 §9.2", () => {
  const owned = { alice: ["sip:sales@example.com"] };

  it.each<[string, string]>([
    ["<sip:sales@example.com>", "<sip:sales@example.com>"],
    ['"Sales" <sip:%73ales@EXAMPLE.com;user=phone>', "<sip:sales@example.com>"],
    ["<sip:alice@example.com>", "<sip:alice@example.com>"],
    ["<sip:bob@example.com>", "<sip:alice@example.com>"],
    ["<sip:sales@example.org>", "<sip:alice@example.com>"],
    ["<tel:+4930>", "<sip:alice@example.com>"],
    ["<tel:+4930>, <sip:sales@example.com>", "<sip:sales@example.com>"],
    ["<sip:", "<sip:alice@example.com>"],
    [`${"<tel:+4930>, ".repeat(300)}<sip:sales@example.com>`, "<sip:alice@example.com>"],
  ])("chooses among a user's own: %s", async (preferred, asserted) => {
    const lines = `P-Preferred-Identity: ${preferred}`;
    expect(await seen(lines, { who: alice, owned })).toEqual([[asserted], []]);
    const later = async (user: string): Promise<readonly string[] | undefined> =>
      owned[user as "alice"];
    expect(await seen(lines, { who: alice, owned: later })).toEqual([[asserted], []]);
  });

  it("goes no further, whoever wrote it", async () => {
    const lines = "P-Preferred-Identity: <sip:x@example.com>";
    expect(await seen(lines)).toEqual([[], []]);
    expect(await seen(lines, { trusted, from: gateway })).toEqual([[], []]);
  });
});

describe("privacy, RFC 3325 §7", () => {
  /** What an address is told, of a call of alice's. */
  async function sentTo(uri: string, privacy: string): Promise<string | undefined> {
    let server: TestServer | undefined;
    const forward = onRequest("INVITE", (request) => {
      const copy = request.clone();
      copy.uri = uri;
      server?.dispatcher.request(copy);
      return "later";
    });
    server = await TestServer.start([alice, new AssertedIdentity({ trusted }), forward]);
    const { sent } = await server.ask(
      `INVITE sip:bob@example.com SIP/2.0${privacy === "" ? "" : `\nPrivacy: ${privacy}`}`,
    );
    const request = sent.find(({ isRequest }) => isRequest) as Request;
    expect(request.method).toBe("INVITE");
    await server.close();
    return request.headers.get(ASSERTED);
  }

  it.each(["id", "ID", "user;id", "id;critical", "header; id", "user,id"])(
    "%s: only trusted peers are told",
    async (privacy) => {
      expect(await sentTo("sip:bob@192.0.2.77", privacy)).toBeUndefined();
      expect(await sentTo("sip:bob@192.0.2.8", privacy)).toBe("<sip:alice@example.com>");
    },
  );

  it.each(["", "none", "user", "idea", "x-id"])("%j: everybody is told", async (privacy) => {
    expect(await sentTo("sip:bob@192.0.2.77", privacy)).toBe("<sip:alice@example.com>");
  });

  it("trusts a domain that a TLS connection opens for alone", () => {
    const to: Peer = { protocol: "tls", address: "203.0.113.1", port: 5061 };
    expect(trusted.reachedAt({ ...to, domain: "SIP.partner.example" })).toBe(true);
    expect(trusted.reachedAt({ ...to, domain: "sip.partner.example", protocol: "udp" })).toBe(
      false,
    );
    expect(trusted.reachedAt({ ...to, domain: "other.example" })).toBe(false);
    expect(trusted.reachedAt(to)).toBe(false);
    const connection = { id: 1, open: true, identities: ["other.example"] };
    expect(trusted.reachedAt({ ...to, domain: "sip.partner.example", connection })).toBe(false);
    expect(trusted.has({ ...to, domain: "sip.partner.example" })).toBe(false);
  });

  it("takes off what phones assert in responses", async () => {
    const { sent } = await ask(
      [
        new AssertedIdentity({ trusted }),
        onRequest("INVITE", (request) =>
          request.createResponse(486, { headers: { [ASSERTED]: "<sip:x@example.com>" } }),
        ),
      ],
      "INVITE sip:bob@example.com SIP/2.0",
    );
    const [response] = sent as readonly Response[];
    expect([response?.status, response?.headers.get(ASSERTED)]).toEqual([486, undefined]);
  });
});
