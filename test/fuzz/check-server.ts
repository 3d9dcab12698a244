import assert from "node:assert/strict";
import { Authorize } from "@sipkit/auth";
import { Dispatcher, parsePacket, Request, type SipError } from "@sipkit/core";
import { SeededRandom, VirtualClock } from "@sipkit/core/testing";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { DatagramWire } from "../torture/datagram-wire.ts";
import { ours } from "./corpus.ts";
import { type Mutation, mutate } from "./mutations.ts";

/** What a server goes through. */
export interface Ordeal {
  readonly messages: readonly string[];
  /** How those that it calls answer, in turn; none at all where there is nothing. */
  readonly replies: readonly Reply[];
  /** Whether an `Authorize` is before the registrar. */
  readonly guarded: boolean;
}

interface Reply {
  readonly status: number;
  readonly mutations: readonly Mutation[];
}

const [REGISTER = ""] = ours;
const SENDER = { address: "192.0.2.60", port: 5060 };
/** Timers B and H, one after the other, and what rounding adds. */
const QUIET = 65_000;
/** Wider than what is taken: what a request brought, and what we add to it. */
const LIMITS = { head: 200_000, line: 20_000, headers: 600, uri: 20_000 };
/** Timer C: whoever was told to wait may do so. */
const PATIENCE = 400_000;

/**
 * Lets hostile messages and replies come to a server of all handlers, and checks that it says at most one thing to each,
 * that what it says is SIP, that it has nothing to report, and that nothing of it is left afterwards.
 */
export async function checkServer({ messages, replies, guarded }: Ordeal): Promise<void> {
  const clock = new VirtualClock();
  const wire = new DatagramWire("192.0.2.1");
  const errors: SipError[] = [];
  const credentials = { alice: "secret" };
  const dispatcher = new Dispatcher({
    clock,
    random: new SeededRandom(1),
    domains: ["example.com", "biloxi.example.com", "atlanta.example.com"],
    legs: [{ listen: wire }],
    resolver: { resolve: () => [{ protocol: "udp", address: "192.0.2.77", port: 5060 }] },
    receiver: [
      ...(guarded ? [new Authorize({ realm: "example.com", credentials })] : []),
      new Registrar(),
      new Proxy(),
    ],
    onError: (error) => errors.push(error),
  });
  await dispatcher.listen();
  let reply = 0;
  const takeSent = (): readonly string[] => wire.sent.splice(0);
  const arrive = async (text: string): Promise<void> => {
    wire.arrive(Buffer.from(text, "latin1"), SENDER);
    await clock.advance(1);
    const sent = takeSent();
    assert.ok(sent.filter(isFinal).length <= 1, `answered twice:\n${sent.join("\n")}`);
    for (const each of sent) parsePacket(each, LIMITS);
    for (const request of sent.filter((each) => !each.startsWith("SIP/2.0"))) {
      const next = replies[reply];
      reply += 1;
      if (next !== undefined) await arrive(replyTo(request, next));
    }
  };
  // Somebody is registered, so that there is something to find and to forward to.
  await arrive(REGISTER);
  for (const message of messages) await arrive(message);
  const hasProvisional = replies.some(({ status }) => status < 200);
  await clock.advance(hasProvisional ? PATIENCE : QUIET);
  const alive = Object.entries(dispatcher.stats()).filter(([, count]) => count !== 0);
  assert.deepEqual(alive, []);
  await dispatcher.close();
  assert.deepEqual(errors, []);
}

function isFinal(wire: string): boolean {
  return wire.startsWith("SIP/2.0 ") && wire[8] !== "1";
}

function replyTo(wire: string, { status, mutations }: Reply): string {
  return mutations.reduce(mutate, Request.parse(wire, LIMITS).createResponse(status).toWire());
}
