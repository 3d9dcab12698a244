import { hash } from "node:crypto";
import { Authorize, type AuthorizeOptions, type HashAlgorithm } from "@sipkit/auth";
import { Dispatcher, type Peer, type Transport, type TransportSink } from "@sipkit/core";

const HASHES: Readonly<Record<HashAlgorithm, string>> = {
  MD5: "md5",
  "SHA-256": "sha256",
  "SHA-512-256": "sha512-256",
};

const PEER: Peer = { protocol: "udp", address: "192.0.2.100", port: 5060 };

/** Whose REGISTER it is, and what for. */
export interface Phone {
  readonly user: string;
  readonly password: string;
  /** Unique: part of branch, tag and Call-ID. */
  readonly call: number;
}

/** A dispatcher with an authenticator and no socket: what is timed is the server's own work. */
export class DigestServer {
  readonly #loop: Loop;
  readonly #dispatcher: Dispatcher;
  readonly #algorithm: HashAlgorithm;

  private constructor(loop: Loop, dispatcher: Dispatcher, algorithm: HashAlgorithm) {
    this.#loop = loop;
    this.#dispatcher = dispatcher;
    this.#algorithm = algorithm;
  }

  static async start(
    credentials: NonNullable<AuthorizeOptions["credentials"]>,
    algorithm: HashAlgorithm,
  ): Promise<DigestServer> {
    const loop = new Loop();
    const dispatcher = new Dispatcher({
      legs: [{ listen: loop }],
      domains: ["example.com"],
      receiver: [
        new Authorize({ realm: "example.com", credentials, algorithms: [algorithm] }),
        (packet) => (packet.isRequest ? packet.createResponse(200) : undefined),
      ],
    });
    await dispatcher.listen();
    return new DigestServer(loop, dispatcher, algorithm);
  }

  /** Lets messages arrive, and gives the nanoseconds that they took together and what was sent. */
  receive(messages: readonly Buffer[]): {
    readonly spent: number;
    readonly sent: readonly string[];
  } {
    const loop = this.#loop;
    loop.sent = [];
    const began = process.hrtime.bigint();
    for (const message of messages) loop.sink?.message(message, PEER);
    const spent = Number(process.hrtime.bigint() - began);
    return { spent, sent: loop.sent };
  }

  /** A REGISTER without credentials. */
  first(phone: Phone): Buffer {
    return register(phone, 1, "");
  }

  /** The REGISTER that answers a challenge. */
  second(phone: Phone, challenge: string): Buffer {
    const nonce = /nonce="([^"]*)/.exec(challenge)?.[1];
    const { user, password } = phone;
    const h = (text: string): string => hash(HASHES[this.#algorithm], text);
    const [ha1, ha2] = [h(`${user}:example.com:${password}`), h("REGISTER:sip:example.com")];
    const response = h(`${ha1}:${nonce}:00000001:c:auth:${ha2}`);
    return register(
      phone,
      2,
      `Authorization: Digest username="${user}", realm="example.com", nonce="${nonce}", ` +
        `uri="sip:example.com", response="${response}", algorithm=${this.#algorithm}, ` +
        `cnonce="c", qop=auth, nc=00000001\r\n`,
    );
  }

  close(): Promise<void> {
    return this.#dispatcher.close();
  }
}

/** A transport with nothing below it. */
class Loop implements Transport {
  readonly protocol = "udp";
  sent: string[] = [];
  sink: TransportSink | undefined;

  async listen(sink: TransportSink): Promise<{ readonly address: string; readonly port: number }> {
    this.sink = sink;
    return { address: "192.0.2.1", port: 5060 };
  }

  send(message: string | Uint8Array): void {
    this.sent.push(String(message));
  }

  connected(): undefined {
    return undefined;
  }

  async close(): Promise<void> {}
}

function register({ user, call }: Phone, cseq: number, authorization: string): Buffer {
  return Buffer.from(
    "REGISTER sip:example.com SIP/2.0\r\n" +
      `Via: SIP/2.0/UDP 192.0.2.100:5060;rport;branch=z9hG4bK${cseq}-${call}\r\n` +
      "Max-Forwards: 70\r\n" +
      `From: <sip:${user}@example.com>;tag=${call}\r\n` +
      `To: <sip:${user}@example.com>\r\n` +
      `Call-ID: ${call}@192.0.2.100\r\n` +
      `CSeq: ${cseq} REGISTER\r\n` +
      "Contact: <sip:phone@192.0.2.100:5060>\r\n" +
      "User-Agent: bench\r\n" +
      `Expires: 3600\r\n${authorization}Content-Length: 0\r\n\r\n`,
    "latin1",
  );
}
