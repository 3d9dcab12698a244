import { createHash } from "node:crypto";
import { Authorize, type AuthorizeOptions } from "@sipkit/auth";
import { identity, type Packet, type Random, type Request, type Response } from "@sipkit/core";
import { TestServer, type TestServerOptions } from "@sipkit/core/testing";

const md5 = (text: string): string => createHash("md5").update(text, "utf8").digest("hex");

interface Passed {
  readonly request: Request;
  readonly user: string | undefined;
}

/** A server with an authenticator, and whoever attacks it: his messages are text, so that nothing of ours mends them. */
export class AuthSite {
  readonly server: TestServer;
  readonly authorize: Authorize;
  /** What got past the authenticator, and whose it is. */
  readonly passed: readonly Passed[];
  #branches = 0;

  private constructor(server: TestServer, authorize: Authorize, passed: readonly Passed[]) {
    this.server = server;
    this.authorize = authorize;
    this.passed = passed;
  }

  static async open(
    options: Partial<AuthorizeOptions> = {},
    how: TestServerOptions = {},
  ): Promise<AuthSite> {
    const authorize = new Authorize({
      realm: "example.com",
      credentials: { alice: "secret", bob: "other" },
      ...options,
    } as AuthorizeOptions);
    const passed: Passed[] = [];
    const accept = (packet: Packet): Response | "drop" | undefined => {
      if (!packet.isRequest) return undefined;
      passed.push({ request: packet, user: packet.get(identity)?.user });
      return packet.method === "ACK" ? "drop" : packet.createResponse(200);
    };
    return new AuthSite(await TestServer.start([authorize, accept], how), authorize, passed);
  }

  get counters(): Readonly<Record<string, number>> {
    return this.server.dispatcher.counters();
  }

  /** Sends text as it is; `undefined`: no answer. */
  async send(text: string, port = 5060): Promise<Response | undefined> {
    const { sent } = await this.server.ask(text, { from: { port } });
    return sent[0] as Response | undefined;
  }

  async status(text: string, port?: number): Promise<number | undefined> {
    return (await this.send(text, port))?.status;
  }

  /** A nonce of the server's. */
  async nonce(): Promise<string> {
    const response = await this.send(this.text("REGISTER", "sip:example.com"));
    return /nonce="([^"]*)/.exec(response?.headers.get("www-authenticate") ?? "")?.[1] ?? "";
  }

  /** A request in a new transaction, with further lines. */
  text(method: string, uri: string, lines: readonly string[] = []): string {
    this.#branches += 1;
    return [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK${this.#branches}`,
      "Max-Forwards: 70",
      "From: <sip:alice@example.com>;tag=1",
      "To: <sip:alice@example.com>",
      `Call-ID: call${this.#branches}@192.0.2.100`,
      `CSeq: 1 ${method}`,
      "Contact: <sip:alice@192.0.2.100>",
      "User-Agent: a phone",
      ...lines,
      "",
      "",
    ].join("\r\n");
  }

  /** An Authorization line with a right digest, each of its parts written otherwise on demand. */
  proof(nonce: string, given: Proof = {}): string {
    const { user = "alice", password = "secret", method = "REGISTER", nc = "00000001" } = given;
    const { uri = "sip:example.com", field = "Authorization", more = "" } = given;
    const digest = md5(
      `${md5(`${user}:example.com:${password}`)}:${nonce}:${nc}:c:auth:${md5(`${method}:${uri}`)}`,
    );
    return (
      `${field}: Digest username="${user}", realm="example.com", nonce="${nonce}", uri="${uri}", ` +
      `response="${digest}", cnonce="c", qop=auth, nc=${nc}${more}`
    );
  }
}

/** What a proof is made of. */
export interface Proof {
  readonly user?: string;
  readonly password?: string;
  readonly method?: string;
  readonly uri?: string;
  readonly nc?: string;
  readonly field?: string;
  readonly more?: string;
}

/** The same chance for every server. */
export function fixedRandom(): Random {
  let count = 0;
  return {
    bytes: (size) => Uint8Array.from({ length: size }, () => count++ & 0xff),
    token: () => `token${count++}`,
  };
}
