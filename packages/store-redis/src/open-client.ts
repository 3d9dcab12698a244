import { createClient } from "@redis/client";
import { StoreUnavailable } from "@sipkit/registrar";
import type { LinkSettings, RedisClient } from "./client-link.ts";
import { inTime } from "./deadline.ts";

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

interface ClientOptions {
  readonly url: string;
  readonly RESP: 2;
  readonly commandsQueueMaxLength: number;
  readonly disableOfflineQueue: true;
  readonly socket: { readonly connectTimeout: number; readonly reconnectStrategy: false };
}

function clientOptions(url: string, timeout: number): ClientOptions {
  return {
    url,
    RESP: 2,
    commandsQueueMaxLength: MAX_QUEUED,
    disableOfflineQueue: true,
    socket: { connectTimeout: timeout, reconnectStrategy: false },
  };
}

/** Opens a connection to a server by its URL. */
export async function openServer(url: string, settings: LinkSettings): Promise<RedisClient> {
  const client = createClient(clientOptions(url, settings.timeout));
  return connected(client as unknown as RedisClient, settings);
}

/**
 * Asks the sentinels and opens a connection to the master that they name. All at once: the machine of one may be gone, with
 * the master perhaps, and nobody would say so.
 */
export async function openMaster(
  options: SentinelOptions,
  settings: LinkSettings,
): Promise<RedisClient> {
  let first: RedisClient | undefined;
  const attempts = options.urls.map(async (url) => {
    const client = await openNamed(
      await askSentinel(url, options.name, settings),
      options,
      settings,
    );
    if (first !== undefined) client.destroy();
    first ??= client;
    return first;
  });
  try {
    return await Promise.any(attempts);
  } catch (error) {
    const cause = error instanceof AggregateError ? error.errors.at(-1) : error;
    throw new StoreUnavailable(`no sentinel leads to a master ${options.name}`, { cause });
  }
}

interface Master {
  readonly host: string;
  readonly port: number;
}

async function askSentinel(url: string, name: string, settings: LinkSettings): Promise<Master> {
  const sentinel = await openServer(url, settings);
  try {
    const command = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", name];
    const asked = sentinel.sendCommand<unknown>(command);
    const reply = await inTime(settings.clock, settings.timeout, asked);
    if (!Array.isArray(reply)) throw new StoreUnavailable(`${url} knows no master ${name}`);
    return { host: String(reply[0]), port: Number(reply[1]) };
  } finally {
    sentinel.destroy();
  }
}

async function openNamed(
  { host, port }: Master,
  { username, password }: SentinelOptions,
  settings: LinkSettings,
): Promise<RedisClient> {
  const { url: _, socket, ...options } = clientOptions("", settings.timeout);
  const client = createClient({
    ...options,
    socket: { ...socket, host, port },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  });
  return checkedMaster(await connected(client as unknown as RedisClient, settings), settings);
}

/** A sentinel may name one that was demoted a moment ago. */
async function checkedMaster(client: RedisClient, settings: LinkSettings): Promise<RedisClient> {
  try {
    const asked = client.sendCommand<readonly unknown[]>(["ROLE"]);
    const [role] = await inTime(settings.clock, settings.timeout, asked);
    if (role === "master") return client;
    throw new StoreUnavailable(`the server that was named as master is a ${String(role)}`);
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/** Whoever takes a connection and says nothing must not keep it for ever. */
async function connected(client: RedisClient, settings: LinkSettings): Promise<RedisClient> {
  // An error without a listener ends the process; whoever takes the client listens too.
  client.on("error", () => {});
  try {
    await inTime(settings.clock, settings.timeout, client.connect());
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  }
}
