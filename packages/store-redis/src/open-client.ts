import { createClient } from "@redis/client";
import { StoreUnavailable } from "@sipkit/registrar";
import type { RedisClient } from "./client-link.ts";

/** Commands that wait on one connection, to be sent or to be answered. */
const MAX_QUEUED = 10_000;

/** Where the master of a group is asked for. */
export interface SentinelOptions {
  /** The sentinels, as `redis://host:26379`, with what they ask for. */
  readonly urls: readonly string[];
  /** The group's name. */
  readonly name: string;
  /** What the master asks for. */
  readonly username?: string;
  readonly password?: string;
}

export interface ClientOptions {
  readonly url: string;
  readonly RESP: 2;
  readonly commandsQueueMaxLength: number;
  readonly disableOfflineQueue: true;
  readonly socket: { readonly connectTimeout: number; readonly reconnectStrategy: false };
}

export function clientOptions(url: string, timeout: number): ClientOptions {
  return {
    url,
    RESP: 2,
    commandsQueueMaxLength: MAX_QUEUED,
    disableOfflineQueue: true,
    socket: { connectTimeout: timeout, reconnectStrategy: false },
  };
}

/** Opens a connection to a server by its URL. */
export async function openServer(url: string, timeout: number): Promise<RedisClient> {
  return connected(createClient(clientOptions(url, timeout)) as unknown as RedisClient);
}

/** Asks the sentinels, one after the other, and opens a connection to the master that they name. */
export async function openMaster(
  { urls, name, username, password }: SentinelOptions,
  timeout: number,
): Promise<RedisClient> {
  let failure: unknown;
  for (const url of urls) {
    try {
      const [host, port] = await askSentinel(url, name, timeout);
      const { url: _, socket, ...options } = clientOptions("", timeout);
      const client = createClient({
        ...options,
        socket: { ...socket, host, port },
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
      });
      return await checkedMaster(await connected(client as unknown as RedisClient));
    } catch (error) {
      failure = error;
    }
  }
  throw new StoreUnavailable(`no sentinel leads to a master ${name}`, { cause: failure });
}

async function askSentinel(
  url: string,
  name: string,
  timeout: number,
): Promise<readonly [host: string, port: number]> {
  const sentinel = await openServer(url, timeout);
  try {
    const reply = await sentinel.sendCommand(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name]);
    if (!Array.isArray(reply)) throw new StoreUnavailable(`${url} knows no master ${name}`);
    return [String(reply[0]), Number(reply[1])];
  } finally {
    sentinel.destroy();
  }
}

/** A sentinel may name one that was demoted a moment ago. */
async function checkedMaster(client: RedisClient): Promise<RedisClient> {
  const role = (await client.sendCommand(["ROLE"])) as unknown as readonly unknown[];
  if (role[0] === "master") return client;
  client.destroy();
  throw new StoreUnavailable(`the server that was named as master is a ${String(role[0])}`);
}

async function connected(client: RedisClient): Promise<RedisClient> {
  // An error without a listener ends the process; whoever takes the client listens too.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  }
}
