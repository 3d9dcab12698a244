import { onRequest, type Packet, type Request, type Response } from "@sipkit/core";
import { TestServer, type TestServerOptions } from "@sipkit/core/testing";
import type { LocationStore } from "../location-store.ts";
import { memoryStore } from "../memory-store.ts";
import { Registrar } from "../registrar.ts";
import type { RegistrarOptions } from "../registrar-options.ts";

export const ALICE: string = "sip:alice@example.com";
export const PHONE: string = "<sip:alice@192.0.2.100>";

export interface Register {
  readonly uri?: string;
  readonly to?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly branch?: string;
  /** Further header lines. */
  readonly lines?: readonly string[];
}

/** A REGISTER of alice's phone at 192.0.2.100; each has a higher CSeq than the last one, and a branch of its own. */
let count = 0;
export function register(contact: string | undefined, how: Register = {}): string {
  count += 1;
  const {
    uri = "sip:example.com",
    to = `<${ALICE}>`,
    callId = "phone",
    cseq = count,
    lines = [],
  } = how;
  const { branch = `z9hG4bK${count}` } = how;
  return [
    `REGISTER ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.100:5060;branch=${branch}`,
    `To: ${to}`,
    `From: ${to};tag=1`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} REGISTER`,
    ...(contact === undefined ? [] : [`Contact: ${contact}`]),
    ...lines,
    "",
    "",
  ].join("\r\n");
}

/** A request in a transaction of its own. */
export function request(method: string, uri: string): string {
  count += 1;
  return `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.200;branch=z9hG4bK${count}\r\nCall-ID: ${count}`;
}

export interface Setup {
  readonly server: TestServer;
  readonly registrar: Registrar;
  /** The requests that went past the registrar. */
  readonly passed: Request[];
  /** The answer to a request; fails where there isn't exactly one. */
  answer(
    text: string,
    from?: { readonly address: string; readonly port?: number },
  ): Promise<Response>;
  /** The URIs that are bound. */
  uris(user?: string): Promise<readonly string[]>;
}

export async function setUp(
  options: RegistrarOptions = {},
  at: TestServerOptions = {},
): Promise<Setup> {
  const registrar = new Registrar(options);
  const passed: Request[] = [];
  const catcher = onRequest("*", (request) => {
    passed.push(request);
    return request.createResponse(499);
  });
  const server = await TestServer.start([registrar, catcher], at);
  return {
    server,
    registrar,
    passed,
    async answer(text, from) {
      const { sent } = await server.ask(text, from && { from });
      const [response] = sent as readonly Packet[];
      if (sent.length !== 1 || response === undefined || response.isRequest) {
        throw new Error(`${sent.length} packets instead of one response`);
      }
      return response;
    },
    uris: async (user = ALICE) => (await registrar.query(user)).map((binding) => binding.uri),
  };
}

export const contactsOf = (response: Response): readonly string[] =>
  response.headers.getAll("contact");

/** The memory store's methods, as an object that can be spread. */
export function inMemory(): LocationStore {
  const store = memoryStore();
  return {
    read: (key) => store.read(key),
    update: (key, change) => store.update(key, change),
    expire: (now, limit) => store.expire(now, limit),
    nextExpiry: () => store.nextExpiry(),
    list: (range) => store.list(range),
    counts: () => store.counts(),
  };
}

/** The memory store, a few turns of the event loop away, its updates one after the other. */
export function distant(): LocationStore {
  const store = memoryStore();
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => T): Promise<T> => {
    const turn = last.then(() => new Promise((resolve) => setImmediate(resolve))).then(run);
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    read: (key) => inTurn(() => store.read(key)),
    update: (key, change) => inTurn(() => store.update(key, change)),
    expire: (now, limit) => inTurn(() => store.expire(now, limit)),
    nextExpiry: () => inTurn(() => store.nextExpiry()),
    list: (range) => inTurn(() => store.list(range)),
    counts: () => inTurn(() => store.counts()),
  };
}
