import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identity, type Packet, Request, type Response } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { afterAll, describe, expect, it } from "vitest";
import type { Algorithm } from "./algorithm.ts";
import { Authorize } from "./authorize.ts";
import type { AuthorizeOptions } from "./authorize-options.ts";
import { authorize } from "./authorize-request.ts";
import { ha1Of, userhashOf } from "./digest.ts";

const folder = mkdtempSync(join(tmpdir(), "sipkit-userhash-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, "users");
writeFileSync(file, `alice:example.com:${ha1Of("alice", "example.com", "secret")}\n`);

/** Who registers, or the status that he gets. */
async function register(
  options: Partial<AuthorizeOptions>,
  pair: readonly [string, string] = ["alice", "secret"],
  change: (credentials: string) => string = (same) => same,
): Promise<string | number | undefined> {
  let user: string | undefined;
  const server = await TestServer.start([
    new Authorize({ realm: "example.com", userhash: true, ...options } as AuthorizeOptions),
    (packet: Packet) => {
      user = packet.get(identity)?.user;
      return packet.isRequest ? packet.createResponse(200) : undefined;
    },
  ]);
  const request = new Request("REGISTER", "sip:example.com", {
    headers: {
      Via: "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK1",
      From: "<sip:alice@example.com>;tag=1",
      To: "<sip:alice@example.com>",
      "Call-ID": "c",
      CSeq: "1 REGISTER",
    },
  });
  const [challenge] = (await server.ask(request)).sent as Response[];
  expect(authorize(request, challenge as Response, pair)).toBe(true);
  const credentials = request.headers.get("Authorization") ?? "";
  request.headers.set("Authorization", change(credentials));
  request.headers.set("Via", "SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK2");
  const [response] = (await server.ask(request)).sent as Response[];
  expect(server.errors).toEqual([]);
  return response?.status === 200 ? user : response?.status;
}

describe("user names as hashes, RFC 7616 §3.4.4", () => {
  it.each<[string, Partial<AuthorizeOptions>]>([
    ["a map", { credentials: { alice: "secret" } }],
    ["an htdigest file", { htdigest: file }],
    [
      "a function",
      {
        credentials: Object.assign((user: string) => (user === "alice" ? "secret" : undefined), {
          userOfHash: (
            hash: string,
            realm: string,
            algorithm: "MD5" | "SHA-256" | "SHA-512-256",
          ) => (hash === userhashOf("alice", realm, algorithm) ? "alice" : undefined),
        }),
      },
    ],
    [
      "a function that answers later",
      {
        credentials: Object.assign(async () => "secret", { userOfHash: async () => "alice" }),
      },
    ],
    [
      "one source after the other",
      {
        credentials: Object.assign(() => undefined, { userOfHash: async () => undefined }),
        htdigest: file,
      },
    ],
  ])("are found in %s", async (_name, options) => {
    expect(await register(options)).toBe("alice");
    const clear = (value: string): string =>
      value.replace(/username="\w+"/, 'username="alice"').replace(", userhash=true", "");
    expect(await register(options, undefined, clear)).toBe("alice");
    expect(await register(options, ["alice", "wrong"])).toBe(401);
  });

  it.each<Algorithm>(["SHA-256", "SHA-512-256", "MD5-sess", "SHA-256-sess"])(
    "are made with the hash of %s",
    async (algorithm) => {
      expect(
        await register({ credentials: { alice: "secret" }, algorithms: () => [algorithm] }),
      ).toBe("alice");
    },
  );

  it("are nobody's when no user has them", async () => {
    expect(await register({ credentials: { alice: "secret" } }, ["bob", "secret"])).toBe(401);
    const unknown = Object.assign(() => "secret", { userOfHash: () => undefined });
    expect(await register({ credentials: unknown })).toBe(401);
  });

  it("are no names: a hash isn't looked for as one, nor a name as a hash", async () => {
    const hash = userhashOf("alice", "example.com", "MD5");
    const credentials = { alice: "secret", [hash]: "other" };
    expect(await register({ credentials })).toBe("alice");
    const plain = (value: string): string => value.replace(/username="\w+"/, 'username="alice"');
    expect(await register({ credentials }, undefined, plain)).toBe(401);
  });

  it("are refused where they weren't asked for", async () => {
    const hashed = (value: string): string =>
      `${value.replace('"alice"', `"${userhashOf("alice", "example.com", "MD5")}"`)}, userhash=true`;
    const options = { credentials: { alice: "secret" }, userhash: false };
    expect(await register(options, undefined, hashed)).toBe(401);
  });

  it.each(["yes", "1", '""'])("are malformed with userhash=%s", async (value) => {
    const change = (text: string): string => text.replace("userhash=true", `userhash=${value}`);
    expect(await register({ credentials: { alice: "secret" } }, undefined, change)).toBe(400);
  });

  it("need a function that can find them", () => {
    expect(
      () => new Authorize({ realm: "r", credentials: () => undefined, userhash: true }),
    ).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });
});
