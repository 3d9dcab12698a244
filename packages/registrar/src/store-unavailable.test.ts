import { type DialogRoute, dialogRoute, onRequest, type Response } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import type { LocationStore } from "./location-store.ts";
import { memoryStore } from "./memory-store.ts";
import { Registrar } from "./registrar.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** The memory store behind a link that can be cut, which fails at once or by a promise. */
function linkedStore(later: boolean): { readonly store: LocationStore; up: boolean } {
  const memory = memoryStore();
  const link = { up: true };
  const pass = <T>(run: () => T): T | Promise<T> => {
    if (link.up) return run();
    const error = new StoreUnavailable("the link is cut", { retryAfter: 7 });
    if (later) return Promise.reject(error);
    throw error;
  };
  const store: LocationStore = {
    read: (key) => pass(() => memory.read(key)),
    update: (key, change) => pass(() => memory.update(key, change)),
    expire: (now, limit) => pass(() => memory.expire(now, limit)),
    nextExpiry: () => pass(() => memory.nextExpiry()),
    list: (range) => pass(() => memory.list(range)),
  };
  return Object.assign(link, { store });
}

let cseq = 0;
function request(method: string, uri: string, ...lines: string[]): string {
  cseq += 1;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${cseq}`,
    "To: <sip:alice@example.com>",
    "From: <sip:alice@example.com>;tag=1",
    "Call-ID: phone",
    `CSeq: ${cseq} ${method}`,
    ...lines,
    "",
    "",
  ].join("\r\n");
}

const refresh = (): string =>
  request("REGISTER", "sip:example.com", "Contact: <sip:alice@192.0.2.100>");
const fetch = (): string => request("REGISTER", "sip:example.com");
const message = (): string => request("MESSAGE", "sip:alice@example.com");

async function ask(server: TestServer, text: string): Promise<Response> {
  const { sent } = await server.ask(text);
  return sent[0] as Response;
}

describe.each([
  ["at once", false],
  ["by a promise", true],
])("Registrar on a store that is away and says so %s", (_how, later) => {
  it("answers 503 with Retry-After, counts each and reports the first", async () => {
    const link = linkedStore(later);
    const receiver = [new Registrar({ store: link.store }), onRequest("*", answer499)];
    const server = await TestServer.start(receiver);
    expect((await ask(server, refresh())).status).toBe(200);
    link.up = false;
    for (const text of [refresh(), fetch(), message()]) {
      const response = await ask(server, text);
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "7"]);
    }
    expect(server.dispatcher.counters()).toMatchObject({ storeUnavailable: 3 });
    expect(server.errors).toEqual([
      expect.objectContaining({ code: "SIP_STORE_UNAVAILABLE", message: "the link is cut" }),
    ]);

    link.up = true;
    expect((await ask(server, message())).status).toBe(499);
    expect((await ask(server, refresh())).status).toBe(200);
    link.up = false;
    expect((await ask(server, refresh())).status).toBe(503);
    expect(server.errors).toHaveLength(2);
  });

  it("lets a request within a dialog to a GRUU go as its dialog has it", async () => {
    const link = linkedStore(later);
    const dialog: DialogRoute = { side: "b", flow: undefined };
    const server = await TestServer.start([
      onRequest("*", (packet) => packet.set(dialogRoute, dialog)),
      new Registrar({ store: link.store }),
      onRequest("*", answer499),
    ]);
    link.up = false;
    const bye = request("BYE", "sip:alice@example.com;gr=urn:uuid:1");
    expect((await ask(server, bye)).status).toBe(499);
    expect(server.errors).toMatchObject([{ code: "SIP_STORE_UNAVAILABLE" }]);
  });

  it("starts, and expires what is over once the store is back", async () => {
    const link = linkedStore(later);
    await link.store.update("sip:alice@example.com", () => []);
    const first = await TestServer.start([new Registrar({ store: link.store })]);
    await ask(first, refresh());
    link.up = false;
    const registrar = new Registrar({ store: link.store });
    const expired: string[] = [];
    registrar.events.on("expired", ({ binding }) => expired.push(binding.uri));
    const server = await TestServer.start([registrar]);
    await server.clock.advance(400_000);
    expect(server.errors).toHaveLength(1);
    expect(expired).toEqual([]);
    link.up = true;
    await server.clock.advance(2000);
    expect(expired).toEqual(["sip:alice@192.0.2.100"]);
  });
});

function answer499(packet: { createResponse(status: number): Response }): Response {
  return packet.createResponse(499);
}
