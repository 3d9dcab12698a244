import type { Connection, Peer } from "../arrival.ts";
import type { ParseError, SipError } from "../errors.ts";
import { VirtualClock } from "../testing/virtual-clock.ts";
import type { StreamLimits } from "../transport/stream-limits.ts";
import type { TransportSink } from "../transport/transport.ts";
import type { TransportContext } from "../transport/transport-context.ts";

/** What a transport or a leg under test tells, in order. */
export class Heard {
  readonly clock: VirtualClock = new VirtualClock();
  readonly messages: { text: string; from: Peer }[] = [];
  readonly failures: { error: SipError; to: Peer }[] = [];
  readonly faults: { error: ParseError; head: string; from: Peer }[] = [];
  readonly closed: Connection[] = [];
  /** What a message is answered with. */
  answer: ((text: string, from: Peer) => string | undefined) | undefined;

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }

  /** The context of what is tested. */
  protected context(
    limits: Partial<StreamLimits> = {},
    ids: () => number = counter(),
  ): TransportContext {
    return { clock: this.clock, ids, limits };
  }

  /** The sink of what is tested; `send` is its own. */
  protected sink(send: (text: string, to: Peer) => void): TransportSink {
    return {
      message: (bytes, from) => {
        const text = Buffer.from(bytes).toString("latin1");
        this.messages.push({ text, from });
        const answer = this.answer?.(text, from);
        if (answer !== undefined) send(answer, from);
      },
      malformed: (error, head, from) => {
        this.faults.push({ error, head: Buffer.from(head).toString("latin1"), from });
        send(`SIP/2.0 ${error.status} ${error.message}\r\nl:0\r\n\r\n`, from);
      },
      failed: (error, to) => this.failures.push({ error, to }),
      closed: (connection) => this.closed.push(connection),
    };
  }
}

/** Gives 1, 2, 3 and so on. */
export function counter(): () => number {
  let last = 0;
  return () => {
    last += 1;
    return last;
  };
}
