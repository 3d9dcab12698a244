import type { Protocol } from "../arrival.ts";
import type { Packet } from "../chain/handler.ts";
import type { Method } from "../message/method.ts";
import { parsePacket } from "../message/parse.ts";

/**
 * What became of a message: on its way, waiting in a connection until a partition heals, delivered, delivered twice,
 * or lost.
 */
export type Fate = "travelling" | "held" | "delivered" | "duplicated" | "lost";

/** One message that was sent on a `VirtualNetwork`: a datagram, or one message on a connection. */
export class VirtualMessage {
  /** `clock.now()` when it was sent. */
  readonly at: number;
  readonly protocol: Protocol;
  /** The sender's `address:port`. */
  readonly from: string;
  /** The `address:port` that it was sent to. */
  readonly to: string;
  readonly wire: string;
  #fate: Fate = "travelling";
  #arrivedAt: number | undefined;
  #packet: Packet | undefined;

  constructor(about: Pick<VirtualMessage, "at" | "protocol" | "from" | "to" | "wire">) {
    this.at = about.at;
    this.protocol = about.protocol;
    this.from = about.from;
    this.to = about.to;
    this.wire = about.wire;
  }

  get fate(): Fate {
    return this.#fate;
  }

  /** `clock.now()` when it was delivered first; `undefined` until then. */
  get arrivedAt(): number | undefined {
    return this.#arrivedAt;
  }

  /** The message, parsed when it is first asked for. Throws a `ParseError` for what is no SIP. */
  get packet(): Packet {
    this.#packet ??= parsePacket(this.wire);
    return this.#packet;
  }

  /** @internal */
  become(fate: "held" | "lost"): void {
    if (this.#arrivedAt === undefined) this.#fate = fate;
  }

  /** @internal */
  arrived(at: number): void {
    this.#fate = this.#arrivedAt === undefined ? "delivered" : "duplicated";
    this.#arrivedAt ??= at;
  }
}

/** Which messages to look at: those that fit all that is given. */
export interface MessageFilter {
  /** A node's name, or an address with or without its port. */
  readonly from?: string;
  /** As `from`. */
  readonly to?: string;
  /** Without `status` the requests of this method, with it the responses to them. */
  readonly method?: Method;
  /** Only responses of this status. */
  readonly status?: number;
  readonly fate?: Fate;
}

/** Whether a message is one that method and status ask for. What is no SIP fits where neither is given. */
export function isOfKind(message: VirtualMessage, { method, status }: MessageFilter): boolean {
  if (method === undefined && status === undefined) return true;
  if (status === undefined) return message.wire.startsWith(`${method} `);
  if (!message.wire.startsWith(`SIP/2.0 ${status} `)) return false;
  return method === undefined || answeredMethod(message) === method;
}

/** The method that a response answers; `undefined` where it doesn't say. */
function answeredMethod(message: VirtualMessage): Method | undefined {
  try {
    return message.packet.method;
  } catch {
    return undefined;
  }
}
