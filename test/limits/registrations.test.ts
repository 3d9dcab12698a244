import type { Request, Response } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import {
  type Binding,
  type MemoryStore,
  memoryStore,
  Registrar,
  type RegistrarOptions,
} from "@sipkit/registrar";
import { describe, expect, it } from "vitest";

const ALICE = "sip:alice@example.com";

interface Site {
  readonly server: TestServer;
  readonly store: MemoryStore;
  /** The answer to a REGISTER, or another request, with these lines. */
  ask(lines: string, start?: string): Promise<Response>;
}

async function open(
  options: RegistrarOptions = {},
  store: MemoryStore = memoryStore(),
): Promise<Site> {
  const server = await TestServer.start(new Registrar({ store, ...options }));
  let requests = 0;
  return {
    server,
    store,
    async ask(lines, start = "REGISTER sip:example.com SIP/2.0") {
      requests += 1;
      const via = `Via: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK${requests}`;
      const to = lines.includes("To:") ? "" : `\nTo: <${ALICE}>`;
      const cseq = `CSeq: ${requests} ${start.split(" ", 1)[0]}`;
      const { sent } = await server.ask(`${start}\n${via}\n${cseq}${to}\n${lines}`);
      return sent[0] as Response;
    },
  };
}

function contacts(count: number): string {
  return Array.from({ length: count }, (_, user) => `Contact: <sip:${user}@192.0.2.100>`).join(
    "\n",
  );
}

describe("a REGISTER over a bound", () => {
  const phone = "Contact: <sip:alice@192.0.2.100>";

  it.each([
    ["eleven bindings", contacts(11), contacts(10)],
    ["thirteen Contacts", `${contacts(13)}\nExpires: 0`, `${contacts(12)}\nExpires: 0`],
    [
      "a Contact of 1,025 characters",
      `Contact: <${"sip:h;x=".padEnd(1_025, "x")}>`,
      `Contact: <${"sip:h;x=".padEnd(1_024, "x")}>`,
    ],
    [
      "a Path of 1,025 characters",
      `${phone}\nPath: ${"<sip:h;lr;x=".padEnd(1_024, "x")}>`,
      `${phone}\nPath: ${"<sip:h;lr;x=".padEnd(1_023, "x")}>`,
    ],
    [
      "a Call-ID of 257 characters",
      `${phone}\nCall-ID: ${"c".repeat(257)}`,
      `${phone}\nCall-ID: ${"c".repeat(256)}`,
    ],
    [
      "attributes of 1,025 characters",
      `${phone}\nTrunk: ${"t".repeat(1_020)}`,
      `${phone}\nTrunk: ${"t".repeat(1_019)}`,
    ],
  ])("is refused with 403 and counted: %s", async (_what, over, within) => {
    const trunk = (request: Request): string => request.headers.get("trunk") ?? "";
    const { server, store, ask } = await open({ attributes: (of) => ({ trunk: trunk(of) }) });
    expect((await ask(over)).status).toBe(403);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsOverLimit: 1 });
    expect(store.bindings).toBe(0);
    expect((await ask(within)).status).toBe(200);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsOverLimit: 1 });
    await server.close();
  });

  it("is refused with 423 and counted when it asks for less than 30 seconds", async () => {
    const { server, ask } = await open();
    const refused = await ask(`${phone};expires=29`);
    expect(refused.status).toBe(423);
    expect(refused.headers.get("min-expires")).toBe("30");
    expect((await ask(`${phone};expires=30`)).status).toBe(200);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsTooBrief: 1 });
    await server.close();
  });

  it("gets 300 seconds when it asks for more", async () => {
    const { server, store, ask } = await open();
    expect((await ask(`${phone};expires=7200`)).headers.get("contact")).toContain("expires=300");
    await server.clock.advance(299_999);
    expect(store.bindings).toBe(1);
    await server.clock.advance(1);
    expect(store.bindings).toBe(0);
    await server.close();
  });

  it("keeps 128 characters of its User-Agent", async () => {
    const { server, store, ask } = await open();
    await ask(`${phone}\nUser-Agent: ${"u".repeat(200)}`);
    expect((store.read(ALICE) as readonly Binding[])[0]?.userAgent).toBe("u".repeat(128));
    await server.close();
  });

  it("is refused with 503 and counted when a store is full of others", async () => {
    const { server, ask } = await open({}, memoryStore({ capacity: 1 }));
    expect((await ask(phone)).status).toBe(200);
    expect((await ask(`To: <sip:bob@example.com>\n${phone}`)).status).toBe(503);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsStoreFull: 1 });
    await server.close();
  });
});

it("bindings that expire together do so a thousand a turn", async () => {
  const { server, store } = await open();
  const binding = { params: "", q: 1, callId: "c", cseq: 1, digest: 0, path: [] };
  const expiresAt = server.clock.wall() + 60_000;
  for (let user = 0; user < 2_500; user += 1) {
    store.update(`sip:${user}@example.com`, () => [{ ...binding, uri: "sip:h", expiresAt }]);
  }
  const batches: number[] = [];
  const registrar = new Registrar({
    store: {
      read: (key) => store.read(key),
      update: (key, change) => store.update(key, change),
      nextExpiry: () => store.nextExpiry(),
      list: (range) => store.list(range),
      expire(now, limit) {
        const expired = store.expire(now, limit);
        batches.push(expired.length);
        return expired;
      },
    },
  });
  const other = await TestServer.start(registrar, { clock: server.clock });
  await server.clock.advance(60_000);
  expect(batches).toEqual([1_000, 1_000, 500]);
  expect(store.bindings).toBe(0);
  await other.close();
  await server.close();
});

it("users without bindings are remembered within a bound: calls get 404 and not 480", async () => {
  const { server, ask } = await open({}, memoryStore({ remembered: 4 }));
  for (let user = 0; user < 10; user += 1) {
    const to = `To: <sip:${user}@example.com>\nContact: `;
    await ask(`${to}<sip:${user}@192.0.2.100>`);
    await ask(`${to}*\nExpires: 0`);
  }
  const call = async (user: number): Promise<number> =>
    (await ask("", `MESSAGE sip:${user}@example.com SIP/2.0`)).status;
  expect([await call(9), await call(0)]).toEqual([480, 404]);
  await server.close();
});
