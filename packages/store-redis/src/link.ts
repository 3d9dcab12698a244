/** Words of a command. */
export type Command = readonly string[];

/** One connection to a server: when it is lost, what is sent by it fails. */
export interface Connection {
  send(command: Command): Promise<unknown>;
}

/** What a server said, and by which connection. */
export interface Answer {
  readonly reply: unknown;
  readonly connection: Connection;
}

/** The way to one server or to many. What is sent fails by a named error, in bounded time. */
export interface Link {
  /** Sends a command to the server that has the key. */
  send(key: string, command: Command): Promise<Answer>;
  close(): void;
}
