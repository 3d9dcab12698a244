import {
  dialogRoute,
  type Handler,
  type Method,
  type Packet,
  type Server,
  SipError,
  type Target,
  targets,
  type Verdict,
} from "@sipkit/core";

/**
 * Tells the caller where to go instead of going there: answers a request whose `targets` somebody found with 302 and
 * one Contact for each, best first; 480 when there is none. What else comes passes on.
 *
 * RFC 3261 §8.3, §21.3.3
 *
 * @example
 * new ReceiveChain([new Registrar(), new Redirect()]);
 */
export class Redirect implements Handler {
  readonly name = "Redirect";
  readonly allows: readonly Method[] = ["INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "REFER"];
  #server: Server | undefined;

  start(server: Server): void {
    this.#server = server;
  }

  receive(packet: Packet): Verdict {
    if (!packet.isRequest || packet.method === "ACK" || packet.method === "CANCEL") {
      return undefined;
    }
    const found = packet.get(targets);
    if (found === undefined || packet.get(dialogRoute) !== undefined) return undefined;
    if (found.length === 0) return packet.createResponse(480);
    if (this.#server === undefined) {
      throw new SipError("SIP_NOT_STARTED", "the redirect was not started");
    }
    const now = this.#server.clock.wall();
    const best = [...found].sort((a, b) => b.q - a.q);
    return packet.createResponse(302, {
      headers: { Contact: best.map((target) => formatContact(target, now)) },
    });
  }
}

/** A target as a Contact that says how long it may be used. RFC 3261 §8.1.3.4, §20.10 */
function formatContact({ uri, q, expiresAt }: Target, now: number): string {
  const contact = `<${uri}>;q=${Number(q.toFixed(3))}`;
  if (!Number.isFinite(expiresAt)) return contact;
  return `${contact};expires=${Math.max(0, Math.floor((expiresAt - now) / 1000))}`;
}
