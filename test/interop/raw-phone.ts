import { createHash, randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Server } from "./start-server.ts";

// Written without sipkit, so that a fault of ours can't hide itself on both sides.

export interface RawResponse {
  readonly status: number;
  /** Values of a header by its name as the server spells it, one a line. */
  all(name: string): readonly string[];
  readonly text: string;
}

/** What a REGISTER is made of. */
export interface Register {
  readonly user: string;
  /** A URI; a REGISTER without one asks for the bindings. */
  readonly contact?: string;
  readonly callId: string;
  readonly cseq: number;
  readonly authorization?: string;
  /** Further header lines. */
  readonly lines?: readonly string[];
}

/** A phone of plain text over UDP: one request at a time, repeated each 500 ms until it is answered. */
export class RawPhone {
  readonly #socket: Socket;
  readonly #server: Pick<Server, "host" | "port">;

  private constructor(socket: Socket, server: Pick<Server, "host" | "port">) {
    this.#socket = socket;
    this.#server = server;
  }

  static async open(server: Pick<Server, "host" | "port">, local = "127.0.0.1"): Promise<RawPhone> {
    const socket = createSocket("udp4").bind(0, local);
    await once(socket, "listening");
    return new RawPhone(socket, server);
  }

  get address(): string {
    const { address, port } = this.#socket.address();
    return `${address}:${port}`;
  }

  close(): void {
    this.#socket.close();
  }

  /** Sends a REGISTER with a branch of its own and gives the final response. */
  register(options: Register): Promise<RawResponse> {
    const { user, contact, callId, cseq, authorization, lines: more = [] } = options;
    const branch = `z9hG4bK${randomBytes(8).toString("hex")}`;
    const lines = [
      "REGISTER sip:example.com SIP/2.0",
      `Via: SIP/2.0/UDP ${this.address};branch=${branch}`,
      "Max-Forwards: 70",
      `From: <sip:${user}@example.com>;tag=${callId}`,
      `To: <sip:${user}@example.com>`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} REGISTER`,
      ...(contact === undefined ? [] : [`Contact: <${contact}>`, "Expires: 300"]),
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      ...more,
      "Content-Length: 0",
      "",
      "",
    ];
    return this.exchange(lines.join("\r\n"), branch);
  }

  /** Sends a request and gives the final response that carries its branch; fails after 5 s. */
  exchange(request: string, branch: string): Promise<RawResponse> {
    return new Promise((resolve, reject) => {
      const send = (): void => {
        this.#socket.send(request, this.#server.port, this.#server.host);
      };
      const receive = (datagram: Buffer): void => {
        const text = datagram.toString("latin1");
        const status = Number(/^SIP\/2\.0 (\d{3}) /.exec(text)?.[1]);
        if (!(status >= 200) || !text.includes(branch)) return;
        stop();
        resolve(response(status, text));
      };
      const stop = (): void => {
        clearInterval(repeat);
        clearTimeout(giveUp);
        this.#socket.off("message", receive);
      };
      const repeat = setInterval(send, 500);
      const giveUp = setTimeout(() => {
        stop();
        reject(new Error(`no answer to:\n${request}`));
      }, 5_000);
      this.#socket.on("message", receive);
      send();
    });
  }

  /** Sends a MESSAGE to a user, as another one, and gives the final response. */
  async message(to: string, from: string, password = "secret"): Promise<RawResponse> {
    const uri = `sip:${to}@example.com`;
    const send = (cseq: number, more: readonly string[]): Promise<RawResponse> => {
      const branch = `z9hG4bK${randomBytes(8).toString("hex")}`;
      const lines = [
        `MESSAGE ${uri} SIP/2.0`,
        `Via: SIP/2.0/UDP ${this.address};branch=${branch}`,
        "Max-Forwards: 70",
        `From: <sip:${from}@example.com>;tag=${branch}`,
        `To: <${uri}>`,
        `Call-ID: ${branch}`,
        `CSeq: ${cseq} MESSAGE`,
        ...more,
        "Content-Length: 0",
        "",
        "",
      ];
      return this.exchange(lines.join("\r\n"), branch);
    };
    const challenged = await send(1, []);
    const who = { user: from, password, method: "MESSAGE", uri };
    return send(2, [`Proxy-Authorization: ${digest(challenged, who)}`]);
  }

  /** Answers the next request that comes with 200, and gives its first line. */
  async answer(): Promise<string> {
    for (;;) {
      const [datagram, { port, address }] = await once(this.#socket, "message");
      const [start = "", ...lines] = String(datagram).split("\r\n");
      if (start.startsWith("SIP/2.0")) continue;
      const copied = lines.filter((line) => /^(?:Via|From|To|Call-ID|CSeq): /i.test(line));
      const response = ["SIP/2.0 200 OK", ...copied, "Content-Length: 0", "", ""].join("\r\n");
      this.#socket.send(response, port, address);
      return start;
    }
  }

  /** The bindings of a user: the Contact lines of the 200 to a REGISTER without any. */
  async bindings(user: string, password = "secret"): Promise<readonly string[]> {
    const callId = randomBytes(8).toString("hex");
    const challenged = await this.register({ user, callId, cseq: 1 });
    const authorization = digest(challenged, { user, password });
    const answered = await this.register({ user, callId, cseq: 2, authorization });
    if (answered.status !== 200) throw new Error(`fetch refused:\n${answered.text}`);
    return answered.all("Contact");
  }
}

function response(status: number, text: string): RawResponse {
  return {
    status,
    text,
    all: (name) =>
      [...text.matchAll(new RegExp(`^${name}: *(.*?)\\r?$`, "gim"))].map(([, value = ""]) => value),
  };
}

/** The credentials that answer the MD5 challenge of a 401 or 407, RFC 7616 §3.4 with qop=auth; to a REGISTER unless `method` and `uri` say else. */
export function digest(
  challenged: RawResponse,
  who: {
    readonly user: string;
    readonly password: string;
    readonly method?: string;
    readonly uri?: string;
  },
): string {
  const { method = "REGISTER", uri = "sip:example.com" } = who;
  const challenges = challenged.all("(?:WWW|Proxy)-Authenticate");
  const challenge = challenges.find((value) => !/algorithm=(?!"?MD5"?(,|$))/i.test(value));
  const part = (name: string): string => {
    const match = new RegExp(`\\b${name}="([^"]*)"`).exec(challenge ?? "");
    if (!match?.[1]) throw new Error(`no ${name} in the challenge of:\n${challenged.text}`);
    return match[1];
  };
  const [realm, nonce] = [part("realm"), part("nonce")];
  const cnonce = randomBytes(4).toString("hex");
  const ha1 = md5(`${who.user}:${realm}:${who.password}`);
  const ha2 = md5(`${method}:${uri}`);
  const answer = md5(`${ha1}:${nonce}:00000001:${cnonce}:auth:${ha2}`);
  return (
    `Digest username="${who.user}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
    `response="${answer}", algorithm=MD5, cnonce="${cnonce}", qop=auth, nc=00000001`
  );
}

export function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
