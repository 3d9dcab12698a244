import {
  Dispatcher,
  type Handler,
  identity,
  type Leg,
  type Packet,
  type Peer,
  type Request,
  type SipError,
} from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { certificate } from "../certificates/certificates.ts";
import { freePort } from "./free-port.ts";
import type { Server } from "./start-server.ts";

/** A request, and where it went. */
interface SentRequest {
  readonly request: Request;
  readonly to: Peer;
}

/** An edge proxy on UDP, TCP and TLS of the loopback interface. */
export interface Edge {
  readonly address: string;
  readonly tlsAddress: string;
  /** The requests that it has sent on, to the registrar and to phones. */
  readonly sent: readonly SentRequest[];
  readonly errors: readonly SipError[];
  close(): Promise<void>;
}

/** Starts one in front of a registrar, which asks for the credentials of whatever passes it. */
export async function startEdge(registrar: Server): Promise<Edge> {
  const sent: SentRequest[] = [];
  const errors: SipError[] = [];
  const pass: Handler = {
    name: "pass",
    receive(packet: Packet) {
      if (!packet.isRequest || !packet.uri.includes("example.com")) return undefined;
      packet.set(identity, {
        user: "anybody",
        realm: "edge",
        addressOfRecord: "sip:anybody@edge.invalid",
        scheme: "edge",
      });
      return undefined;
    },
    beforeSend(packet: Packet, _leg: Leg, to: Peer) {
      if (packet.isRequest) sent.push({ request: packet.clone(), to });
    },
  };
  const address = `127.0.0.1:${await freePort()}` as const;
  const tlsAddress = `127.0.0.1:${await freePort()}` as const;
  const edge = new Dispatcher({
    legs: [
      `udp:${address}`,
      `tcp:${address}`,
      { listen: `tls:${tlsAddress}`, tls: certificate("example") },
    ],
    domainToProxy: { "example.com": `sip:${registrar.address};transport=tcp` },
    receiver: [pass, new Proxy({ path: true })],
    onError: (error) => errors.push(error),
  });
  await edge.listen();
  return { address, tlsAddress, sent, errors, close: () => edge.close() };
}
