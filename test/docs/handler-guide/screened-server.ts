import { Authorize } from "@sipkit/auth";
import { Dispatcher, type LegAddress } from "@sipkit/core";
import { Proxy } from "@sipkit/proxy";
import { Registrar } from "@sipkit/registrar";
import { CallScreen } from "./call-screen.ts";

/** A registrar and proxy that strangers may call through, and that screens their calls. */
export function screenedServer(
  legs: readonly LegAddress[],
  reputation: (caller: string) => Promise<number>,
  log: (fact: object) => void,
): Dispatcher {
  return new Dispatcher({
    legs,
    domains: ["example.com"],
    receiver: [
      new Authorize({
        realm: "example.com",
        credentials: { alice: "secret" },
        allowCallsToUs: true,
      }),
      new CallScreen({ reputation }),
      new Registrar(),
      new Proxy(),
    ],
    onError: ({ code, cause }, { handler, packet }) =>
      log({ code, handler, cause, callId: packet?.callId }),
  });
}
