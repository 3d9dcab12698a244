import { createHash } from "node:crypto";
import { Authorize, type AuthorizeOptions } from "@sipkit/auth";
import { onRequest, type Response } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** A server that takes right credentials for 200, and alice, who sends what no client of ours would. */
class Site {
  readonly #server: TestServer;
  #branches = 0;

  private constructor(server: TestServer) {
    this.#server = server;
  }

  static async open(options: Partial<AuthorizeOptions> = {}): Promise<Site> {
    const authorize = new Authorize({
      realm: "example.com",
      credentials: { alice: "secret" },
      ...options,
    } as AuthorizeOptions);
    const accept = onRequest("*", (request) => request.createResponse(200));
    return new Site(await TestServer.start([authorize, accept]));
  }

  get counters(): Readonly<Record<string, number>> {
    return this.#server.dispatcher.counters();
  }

  advance(ms: number): Promise<void> {
    return this.#server.clock.advance(ms);
  }

  /** A nonce of the server's. */
  async nonce(): Promise<string> {
    const { sent } = await this.#server.ask(this.#register("fresh", ""));
    return /nonce="([^"]+)"/.exec(
      (sent[0] as Response).headers.get("www-authenticate") ?? "",
    )?.[1] as string;
  }

  /** What a right digest with that nonce and count gets: `"200"`, or `"401 stale=true"`. */
  async use(nonce: string, count: number): Promise<string> {
    const { sent } = await this.#server.ask(this.signed(nonce, count));
    return this.#told(sent[0] as Response);
  }

  /** What the same bytes get again, their transaction being over. */
  async repeat(text: string): Promise<string> {
    await this.advance(40_000);
    return this.#told((await this.#server.ask(text)).sent[0] as Response);
  }

  signed(nonce: string, count: number): string {
    const nc = count.toString(16).padStart(8, "0");
    const [ha1, ha2] = [md5("alice:example.com:secret"), md5("REGISTER:sip:example.com")];
    const response = md5(`${ha1}:${nonce}:${nc}:c:auth:${ha2}`);
    return this.#register(
      `${nonce.slice(-8)}${count}`,
      `\nAuthorization: Digest username="alice", realm="example.com", nonce="${nonce}", uri="sip:example.com", qop=auth, nc=${nc}, cnonce="c", response="${response}"`,
    );
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #told(response: Response): string {
    const challenge = response.headers.get("www-authenticate");
    return [response.status, ...(challenge?.match(/stale=true/) ?? [])].join(" ");
  }

  #register(callId: string, lines: string): string {
    this.#branches += 1;
    const via = `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${this.#branches}`;
    return `REGISTER sip:example.com SIP/2.0\n${via}\nTo: <sip:alice@example.com>\nCall-ID: ${callId}${lines}`;
  }
}

describe("nonces", () => {
  it("are stale after nonceLifetime", async () => {
    const site = await Site.open();
    const nonce = await site.nonce();
    await site.advance(300_000);
    expect(await site.use(nonce, 1)).toBe("200");
    await site.advance(1);
    expect(await site.use(nonce, 2)).toBe("401 stale=true");
    expect(site.counters).toMatchObject({ staleNonces: 1 });
    await site.close();
  });

  it("are forgotten when there are more than maxNonces, the oldest first, and stale from then on", async () => {
    const site = await Site.open({ maxNonces: 2 });
    const nonces: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      await site.advance(1);
      nonces.push(await site.nonce());
      expect(await site.use(nonces.at(-1) ?? "", 1)).toBe("200");
    }
    const [first = "", second = ""] = nonces;
    expect(await site.use(first, 2)).toBe("401 stale=true");
    expect(await site.use(second, 2)).toBe("200");
    expect(site.counters).toMatchObject({ forgottenNonces: 1, staleNonces: 1 });
    await site.close();
  });

  it("may come with a count that is 63 behind the highest, and none further", async () => {
    const site = await Site.open();
    const nonce = await site.nonce();
    expect(await site.use(nonce, 100)).toBe("200");
    expect(await site.use(nonce, 37)).toBe("200");
    expect(await site.use(nonce, 36)).toBe("401 stale=true");
    expect(site.counters).toMatchObject({ staleNonces: 1 });
    await site.close();
  });

  it("are known again with a message of their four latest counts, and none earlier", async () => {
    const site = await Site.open();
    const nonce = await site.nonce();
    const messages = Array.from({ length: 5 }, (_, count) => site.signed(nonce, count + 1));
    for (const message of messages) expect(await site.repeat(message)).toBe("200");
    const [first = "", second = ""] = messages;
    expect(await site.repeat(second)).toBe("200");
    expect(await site.repeat(first)).toBe("401 stale=true");
    expect(site.counters).toMatchObject({ staleNonces: 1 });
    await site.close();
  });
});
