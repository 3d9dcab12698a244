import { identity } from "@sipkit/auth";
import { Dispatcher, onRequest, type PacketKey, packetKey, type Receive } from "@sipkit/core";
import { ask } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";

const asked: PacketKey<string> = packetKey("asked");

const note: Receive = (packet, leg, from) => {
  if (!packet.isRequest) return false;
  const who: string = packet.get(identity)?.user ?? from.address;
  packet.set(asked, `${who} by ${leg.protocol}`);
  return packet.headers.get("user-agent")?.includes("scanner") && "drop";
};

const doNotDisturb = onRequest("INVITE", (request) => request.createResponse(486));

export const server: Dispatcher = new Dispatcher({
  legs: ["udp:127.0.0.1:0"],
  domains: ["example.com"],
  receiver: [note, doNotDisturb, new Registrar(), new Proxy()],
});

export async function test(invite: string): Promise<boolean> {
  const { verdict } = await ask([note, doNotDisturb], invite);
  return typeof verdict === "object" && !verdict.isRequest && verdict.status === 486;
}
