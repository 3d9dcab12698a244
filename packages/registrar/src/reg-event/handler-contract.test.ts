import type { Handler } from "@sipkit/core";
import { describeHandler } from "@sipkit/core/testing";
import { describe, it } from "vitest";
import { Registrar } from "../registrar.ts";
import { RegEvents } from "./reg-events.ts";

const WATCH = "SUBSCRIBE sip:bob@example.com SIP/2.0\nEvent: reg\nContact: <sip:bob@192.0.2.7>";

let registrar = new Registrar();

function created(): RegEvents {
  registrar = new Registrar({ static: { "sip:bob@example.com": ["sip:bob@192.0.2.8"] } });
  return new RegEvents(registrar, { maySubscribe: () => true, maxPerUser: 8 });
}

/** The registrar, without what it answers itself. */
function silent(): Handler {
  const kept = registrar;
  return {
    start: (server) => kept.start(server),
    close: () => kept.close(),
    receive: () => undefined,
  };
}

describeHandler(
  "RegEvents",
  created,
  // Each SUBSCRIBE is followed by a NOTIFY: two transactions for every line that the suite tries.
  { describe, it: (title, run) => it(title, run, 20_000) },
  {
    before: () => [silent()],
    takes: [
      WATCH,
      "SUBSCRIBE sip:bob@example.com SIP/2.0\nEvent: reg\nTo: <sip:bob@example.com>;tag=none",
    ],
    ignores: [
      "SUBSCRIBE sip:bob@example.com SIP/2.0\nEvent: presence\nContact: <sip:bob@192.0.2.7>",
      "SUBSCRIBE sip:bob@example.com SIP/2.0\nEvent: REG\nContact: <sip:bob@192.0.2.7>",
      "SUBSCRIBE sip:bob@example.com SIP/2.0",
      "SUBSCRIBE sip:bob@example.net SIP/2.0\nEvent: reg\nContact: <sip:bob@192.0.2.7>",
      "SUBSCRIBE sip:bob@example.com;gr=urn:uuid:1 SIP/2.0\nEvent: reg",
      "SUBSCRIBE sip:bob@192.0.2.77 SIP/2.0\nEvent: reg\nTo: <sip:bob@example.com>;tag=b",
      "NOTIFY sip:bob@example.com SIP/2.0\nEvent: reg",
      "MESSAGE sip:bob@example.com SIP/2.0",
    ],
  },
);
