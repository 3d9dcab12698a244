import type { Socket } from "node:net";
import { formatHostPort } from "./host-port.ts";

/** A connection that was accepted and has a handshake before it. */
interface Handshake {
  readonly socket: Socket;
  readonly address: string;
  readonly since: number;
  readonly onClose: () => void;
}

/** The connections that were accepted and can't carry SIP yet: TLS or a WebSocket is being agreed on. */
export class Handshakes {
  /** By remote address and port: a TLS socket has them in common with the socket below it. */
  readonly #byRemote = new Map<string, Handshake>();
  readonly #failed: (address: string, port: number) => void;

  /** `failed` is told of each whose socket closed before `finish`. */
  constructor(failed: (address: string, port: number) => void) {
    this.#failed = failed;
  }

  get size(): number {
    return this.#byRemote.size;
  }

  begin(socket: Socket, address: string, port: number, since: number): void {
    const key = formatHostPort(address, port);
    const onClose = (): void => {
      this.#byRemote.delete(key);
      this.#failed(address, port);
    };
    this.#byRemote.set(key, { socket, address, since, onClose });
    socket.once("close", onClose);
  }

  /** The handshake with that address and port is through; `false` when there was none. */
  finish(address: string, port: number): boolean {
    const key = formatHostPort(address, port);
    const found = this.#byRemote.get(key);
    if (found === undefined) return false;
    this.#byRemote.delete(key);
    found.socket.off("close", found.onClose);
    return true;
  }

  /** Closes those that began at `began` or before. */
  closeSince(began: number): void {
    for (const { socket, since } of this.#byRemote.values()) if (since <= began) socket.destroy();
  }
}
