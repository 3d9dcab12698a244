/**
 * Wakes phones that sleep: what is to wake one is printed here, where a server of yours calls FCM, APNs or Web Push. A
 * request waits until the phone has registered, and goes to where it is then. Nobody is asked for a password.
 *
 * Run it:  pnpm exec tsx --conditions=@sipkit/source examples/push/main.ts
 * Try it:  sipsak -i -U -C "<sip:bob@127.0.0.2;pn-provider=console;pn-prid=b0b>" -x 300 -s sip:bob@127.0.0.1:5060
 *          sipp 127.0.0.1:5060 -sn uac -s bob -m 1
 *          Nobody wakes up, so the call is answered 480 after six seconds. A phone that registers meanwhile gets it.
 */
import { Dispatcher } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { type PushNotification, Registrar } from "@sipkit/registrar";

const port = process.argv[2] ?? "5060";

/** Who has the token may wake the phone: it isn't printed. */
function print(push: PushNotification): void {
  // What strangers wrote goes to the terminal as JSON, which has no control characters.
  const why = push.reason === "call" ? `${push.method} from ${push.from}` : "its binding ends";
  console.log(`wake ${JSON.stringify(push.addressOfRecord)}: ${JSON.stringify(why)}`);
}

const server = new Dispatcher({
  legs: [`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`],
  domains: ["example.com"],
  receiver: [
    // A phone that has just registered counts as awake, by default: here you needn't wait until it doesn't.
    new Registrar({ push: { providers: { console: print }, awakeFor: 0 } }),
    new Proxy(),
  ],
});

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
for (const leg of await server.listen()) console.log(`listening on ${leg.protocol}:${leg.sentBy}`);
