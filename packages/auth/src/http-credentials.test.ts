import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { VirtualClock } from "@sipkit/core/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type HttpCredentialsOptions, httpCredentials } from "./http-credentials.ts";

type Reply = (response: ServerResponse, body: string, request: IncomingMessage) => void;

const open: Server[] = [];

afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** The address of a service that replies so. */
async function serve(reply: Reply): Promise<string> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request) body += piece;
    reply(response, body, request);
  });
  open.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/sip/users`;
}

function json(status: number, value: unknown): Reply {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  };
}

/** What comes of asking for alice. */
async function ask(reply: Reply, options?: HttpCredentialsOptions): Promise<unknown> {
  const look = httpCredentials(await serve(reply), options);
  return Promise.resolve(look("alice", "example.com")).catch((error: unknown) => error);
}

describe("credentials of an HTTP service", () => {
  it("are asked for in the body of a POST, with the headers that were given", async () => {
    const seen: unknown[] = [];
    const password = await ask(
      (response, body, { method, url, headers }) => {
        const { authorization, "content-type": type } = headers;
        seen.push([method, url, authorization, type, JSON.parse(body)]);
        json(200, { password: "secret" })(response, body, {} as IncomingMessage);
      },
      { headers: { authorization: "Bearer key" } },
    );
    expect(password).toBe("secret");
    expect(seen).toEqual([
      [
        "POST",
        "/sip/users",
        "Bearer key",
        "application/json",
        { user: "alice", realm: "example.com" },
      ],
    ]);
  });

  it("are a password, HA1s, or nobody's", async () => {
    expect(await ask(json(200, { password: "secret" }))).toBe("secret");
    expect(await ask(json(200, { ha1: { MD5: "0".repeat(32) } }))).toEqual({
      ha1: { MD5: "0".repeat(32) },
    });
    expect(await ask(json(404, { error: "no such user" }))).toBeUndefined();
  });

  it.each<[string, Reply]>([
    ["another status", json(500, { password: "hunter2" })],
    ["an answer without a body", json(204, "")],
    ["a redirect", (response) => response.writeHead(302, { location: "/hunter2" }).end()],
    ["what is no JSON", json(200, "hunter2")],
    ["JSON that says neither", json(200, { pass: "hunter2" })],
    ["null", json(200, null)],
    ["a password that is a number", json(200, { password: 17 })],
    ["a body without an end", json(200, `{"password":"hunter2${" ".repeat(20_000)}"}`)],
  ])("reject %s, and nothing of it is in the error", async (_what, reply) => {
    const error = await ask(reply);
    expect(error).toBeInstanceOf(Error);
    for (let at: unknown = error; at instanceof Error; at = at.cause) {
      expect(`${at.message} ${at.stack}`).not.toContain("hunter2");
    }
  });

  it("have a time to come", async () => {
    const clock = new VirtualClock();
    let reached: () => void = () => {};
    const isReached = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const look = httpCredentials(await serve(() => reached()), { clock });
    const answer = Promise.resolve(look("alice", "r")).catch((error: unknown) => error);
    await isReached;
    await clock.advance(2000);
    expect(await answer).toMatchObject({ code: "SIP_CREDENTIALS_FAILED" });
    expect(clock.pending).toBe(0);
  });

  it("are asked for no more than so many times at once: who comes beyond gets a 503", async () => {
    const waiting: ServerResponse[] = [];
    const isFull = new Promise<string>((resolve, reject) => {
      const url = serve((response) => {
        waiting.push(response);
        if (waiting.length === 2) url.then(resolve, reject);
      });
      url.then((found) => {
        look = httpCredentials(found, { maxAtOnce: 2 });
        asked.push(look("u1", "r"), look("u2", "r"));
      }, reject);
    });
    let look: ReturnType<typeof httpCredentials> = () => undefined;
    const asked: unknown[] = [];
    await isFull;
    await expect(look("u3", "r")).rejects.toMatchObject({ status: 503 });
    for (const response of waiting) json(200, { password: "x" })(response, "", response.req);
    expect(await Promise.all(asked)).toEqual(["x", "x"]);
  });

  it("are not asked for where nobody can be called so", async () => {
    let asked = 0;
    const look = httpCredentials(
      await serve((response) => {
        asked += 1;
        response.end();
      }),
    );
    expect(await look("a\r\nb", "r")).toBeUndefined();
    expect(await look("", "r")).toBeUndefined();
    expect(asked).toBe(0);
  });

  it.each(["ftp://example.com", "users", ""])("need an address: %j", (url) => {
    expect(() => httpCredentials(url)).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });

  it.each([{ timeout: 0 }, { maxAtOnce: Number.NaN }])("refuse %o", (options) => {
    expect(() => httpCredentials("http://127.0.0.1", options)).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });
});
