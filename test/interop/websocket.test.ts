import { once } from "node:events";
import JsSIP from "jssip";
import type { IncomingMessageEvent, OutgoingMessageEvent, UA } from "jssip/lib/UA.js";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { freePort } from "./free-port.ts";
import { endPrograms } from "./program.ts";
import { digest, RawPhone, type RawResponse } from "./raw-phone.ts";
import { type Server, startServer, users } from "./start-server.ts";

// JsSIP takes the browser's.
Object.assign(globalThis, { WebSocket });

const agents: UA[] = [];
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.stop();
  await endPrograms();
});

async function startWebSocketServer(
  ...names: readonly string[]
): Promise<Server & { url: string }> {
  const address = `127.0.0.1:${await freePort()}`;
  const server = await startServer(...users(...names), "--listen", `ws:${address}`);
  await server.program.printed(new RegExp(`ws:${address}`));
  return { ...server, url: `ws://${address}/` };
}

/** A JsSIP phone that is registered. */
async function registered(url: string, user: string, password = "secret"): Promise<UA> {
  const agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)],
    uri: `sip:${user}@example.com`,
    password,
  });
  agents.push(agent);
  const done = new Promise<void>((resolve, reject) => {
    agent.on("registered", () => resolve());
    agent.on("registrationFailed", ({ cause }: { cause?: string }) => reject(new Error(cause)));
  });
  agent.start();
  await done;
  return agent;
}

/** Sends a MESSAGE; resolves with the status that it gets. */
function send(from: UA, to: string, text: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const settle = ({ response }: { response?: { status_code: number } | null }): void =>
      resolve(response?.status_code);
    from.sendMessage(`sip:${to}@example.com`, text, {
      eventHandlers: { succeeded: settle, failed: settle },
    });
  });
}

describe("JsSIP over WebSocket", () => {
  it("registers with digest at a host that nobody can resolve, and gets requests there", async () => {
    const server = await startWebSocketServer("alice", "bob");
    const alice = await registered(server.url, "alice");
    const bob = await registered(server.url, "bob");
    const received = new Promise<string | undefined>((resolve) => {
      bob.on("newMessage", ({ request }: IncomingMessageEvent | OutgoingMessageEvent) =>
        resolve(request.body as string | undefined),
      );
    });
    expect(await send(alice, "bob", "grüß dich")).toBe(200);
    expect(await received).toBe("grüß dich");

    const phone = await RawPhone.open(server);
    expect(await phone.bindings("bob")).toEqual([
      expect.stringMatching(/^<sip:[^>]*\.invalid;transport=ws>/),
    ]);
    phone.close();
    await server.stop();
  });

  it("gets no registration with a wrong password", async () => {
    const server = await startWebSocketServer("alice");
    await expect(registered(server.url, "alice", "wrong")).rejects.toThrow(/Authentication|Reject/);
    await server.stop();
  });

  it("unregisters, and is not found any more", async () => {
    const server = await startWebSocketServer("alice", "bob");
    const alice = await registered(server.url, "alice");
    const bob = await registered(server.url, "bob");
    const gone = new Promise<void>((resolve) => bob.on("unregistered", () => resolve()));
    bob.unregister();
    await gone;
    expect(await send(alice, "bob", "hello")).toBe(480);
    await server.stop();
  });
});

describe("A plain WebSocket client", () => {
  it("registers; what is for it fails once its connection is gone, and dials nobody", async () => {
    const server = await startWebSocketServer("alice", "bob");
    const client = new WebSocket(server.url, "sip");
    await once(client, "open");
    const register = async (cseq: number, authorization?: string): Promise<RawResponse> => {
      client.send(
        [
          "REGISTER sip:example.com SIP/2.0",
          `Via: SIP/2.0/WS x1.invalid;branch=z9hG4bK${cseq}`,
          "From: <sip:bob@example.com>;tag=1",
          "To: <sip:bob@example.com>",
          "Call-ID: c",
          `CSeq: ${cseq} REGISTER`,
          "Contact: <sip:bob@x1.invalid;transport=ws>;expires=300",
          ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
          "\r\n",
        ].join("\r\n"),
      );
      const [data] = (await once(client, "message")) as [Buffer];
      const text = data.toString("latin1");
      const all = (name: string): string[] =>
        [...text.matchAll(new RegExp(`^${name}: *(.*?)\r?$`, "gim"))].map(
          ([, value = ""]) => value,
        );
      return { text, all, status: Number(/^SIP\/2\.0 (\d{3})/.exec(text)?.[1]) };
    };
    const challenged = await register(1);
    expect(challenged.status).toBe(401);
    const answered = await register(2, digest(challenged, { user: "bob", password: "secret" }));
    expect(answered.status).toBe(200);
    client.terminate();

    const alice = await registered(server.url, "alice");
    await expect.poll(() => send(alice, "bob", "hello"), { timeout: 10_000 }).toBe(480);
    await server.stop();
  });
});
