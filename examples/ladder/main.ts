/**
 * A ladder diagram of what a server sends and gets, drawn as it happens: two demo phones register, call one another, and
 * one gives up. `attach.ts` beside this one draws it for any server.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/ladder/main.ts
 *          pnpm exec tsx --conditions=@sipkit/source --import ./examples/ladder/attach.ts examples/registrar/main.ts
 * Try it:  --ascii draws without box characters
 */
import { setTimeout } from "node:timers/promises";
import { Authorize } from "@sipkit/auth";
import { Dispatcher, Ladder, ladderMessage, packetChannel } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { DemoPhone } from "./demo-phone.ts";

const domain = "example.com";
const server = new Dispatcher({
  legs: ["udp:127.0.0.1:0"],
  domains: [domain],
  receiver: [
    new Authorize({ realm: domain, credentials: { alice: "secret", bob: "secret" } }),
    new Registrar(),
    new Proxy(),
  ],
});

const names = new Map<string, string>();
const ladder = new Ladder({ names, width: 36, ascii: process.argv.includes("--ascii") });
packetChannel.subscribe((event) => {
  // The phones are in this process, too: what they see is the same once more.
  if (event.node !== server.node) return;
  for (const line of ladder.add(ladderMessage(event))) console.log(line);
});

const [leg] = await server.listen();
const proxy = `sip:${leg?.sentBy}`;
const alice = new DemoPhone({ user: "alice", password: "secret", domain, proxy });
const bob = new DemoPhone({ user: "bob", password: "secret", domain, proxy });
names.set(leg?.sentBy ?? "", "server");
for (const [name, phone] of Object.entries({ alice, bob })) {
  await phone.listen();
  names.set(phone.address, name);
}
await alice.register();
await bob.register();
console.log(`alice called bob: ${await alice.call("sip:bob@example.com", 200)}`);
console.log(`bob gave up calling alice: ${await bob.giveUp("sip:alice@example.com", 100)}`);
await setTimeout(50); // the last ACK is on its way
await Promise.all([alice.close(), bob.close()]);
await server.close();
