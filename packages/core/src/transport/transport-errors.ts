import type { Peer, Protocol } from "../arrival.ts";
import { messageOf, TransportError } from "../errors.ts";
import { formatHostPort } from "./host-port.ts";
import type { ListenAddress } from "./leg-address.ts";

/** An address can't be listened on. */
export function listenError(
  { protocol, address, port }: ListenAddress,
  cause: unknown,
): TransportError {
  const where = `${protocol}:${formatHostPort(address, port)}`;
  const message = `cannot listen on ${where}: ${messageOf(cause)}`;
  return new TransportError(message, { cause, code: "SIP_LISTEN" });
}

/** Something could not be sent. */
export function sendError(
  protocol: Protocol,
  to: Peer,
  reason: string,
  cause?: unknown,
): TransportError {
  const where = formatHostPort(to.address, to.port);
  return new TransportError(`${protocol} to ${where}: ${reason}`, { cause });
}
