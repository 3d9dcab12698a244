import type { createClient } from "@redis/client";
import type { Clock, Timer } from "@sipkit/core";
import { StoreUnavailable } from "@sipkit/registrar";
import { inTime } from "./deadline.ts";
import { codeOf, nameFailure } from "./failures.ts";
import type { Answer, Command, Connection, Link } from "./link.ts";

/** Milliseconds before the second attempt to connect; each further one waits twice as long. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 500;

export type RedisClient = ReturnType<typeof createClient>;

/** Opens a connection to the server that is to be used now; the client must not connect again by itself. */
export type OpenClient = () => Promise<RedisClient>;

export interface LinkSettings {
  readonly clock: Clock;
  /** Milliseconds that a command, or the way to a connection, may take. */
  readonly timeout: number;
}

/** A link to one server at a time, which is connected again, wherever it is then, when it is lost. */
export class ClientLink implements Link {
  readonly #open: OpenClient;
  readonly #settings: LinkSettings;
  #connected: ClientConnection | undefined;
  /** The attempt that is under way. */
  #attempt: Promise<ClientConnection> | undefined;
  #failure: unknown;
  #pause = 0;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(open: OpenClient, settings: LinkSettings) {
    this.#open = open;
    this.#settings = settings;
    this.#connect();
  }

  /** Whether the last connection was lost, or none could be opened, and there is no other yet. */
  get isLost(): boolean {
    return this.#connected === undefined && this.#failure !== undefined;
  }

  async send(_key: string, command: Command): Promise<Answer> {
    const connection = this.#connected ?? (await this.connection());
    return { reply: await connection.send(command), connection };
  }

  /** Waits for an attempt that is under way; where there is none, the last one has failed. */
  connection(): Promise<Connection> {
    if (this.#connected !== undefined) return Promise.resolve(this.#connected);
    if (this.#attempt !== undefined) return this.#attempt;
    return Promise.reject(unreachable(this.#failure));
  }

  close(): void {
    this.#isClosed = true;
    this.#failure = new StoreUnavailable("the store is closed");
    this.#timer?.cancel();
    this.#connected?.drop();
  }

  #connect(): void {
    const { clock, timeout } = this.#settings;
    const opening = this.#open();
    this.#attempt = inTime(clock, timeout, opening).then(
      (client) => this.#take(client),
      (error: unknown) => {
        // One that opens after all is not needed any more.
        opening.then((client) => client.destroy()).catch(() => {});
        this.#lost(error);
        throw unreachable(error);
      },
    );
    // Who waits for it is told.
    this.#attempt.catch(() => {});
  }

  #take(client: RedisClient): ClientConnection {
    const connection = new ClientConnection(client, this.#settings, (error) => this.#lost(error));
    this.#attempt = undefined;
    this.#pause = 0;
    this.#connected = connection;
    if (this.#isClosed) connection.drop();
    return connection;
  }

  #lost(error: unknown): void {
    this.#connected = undefined;
    this.#attempt = undefined;
    if (this.#isClosed) return;
    this.#failure = error;
    this.#timer?.cancel();
    this.#timer = this.#settings.clock.setTimer(this.#pause, () => this.#connect());
    this.#pause = Math.min(LONGEST_PAUSE, Math.max(FIRST_PAUSE, 2 * this.#pause));
  }
}

/** Whatever kept a connection from being opened, a wrong password too: there is no store now. */
function unreachable(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new StoreUnavailable(`Redis can't be reached: ${why}`, { cause: error });
}

class ClientConnection implements Connection {
  readonly #client: RedisClient;
  readonly #settings: LinkSettings;
  readonly #lost: (error: unknown) => void;
  #isLost = false;

  constructor(client: RedisClient, settings: LinkSettings, lost: (error: unknown) => void) {
    this.#client = client;
    this.#settings = settings;
    this.#lost = lost;
    client.on("error", (error) => this.drop(error));
    client.on("end", () => this.drop());
  }

  async send(command: Command): Promise<unknown> {
    const { clock, timeout } = this.#settings;
    const late = (): void => this.drop(new StoreUnavailable("the last connection was mute"));
    try {
      return await inTime(clock, timeout, this.#client.sendCommand([...command]), late);
    } catch (error) {
      // A master that was demoted: the next one is elsewhere.
      if (error instanceof Error && codeOf(error.message) === "READONLY") this.drop(error);
      throw nameFailure(error);
    }
  }

  drop(error: unknown = new StoreUnavailable("the connection was closed")): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#client.destroy();
    this.#lost(error);
  }
}
