import { describeHandler } from "@sipkit/core/testing";
import { describe, it } from "vitest";
import { Registrar } from "./registrar.ts";

describeHandler(
  "Registrar",
  () => new Registrar(),
  { describe, it },
  {
    ignores: ["REGISTER sip:example.net SIP/2.0", "MESSAGE sip:bob@example.net SIP/2.0"],
    takes: [
      "REGISTER sip:example.com SIP/2.0\nTo: <sip:bob@example.com>\nContact: <sip:bob@192.0.2.7>;expires=60",
      "REGISTER sip:example.com SIP/2.0\nTo: <sip:bob@example.com>\nContact: *\nExpires: 0",
    ],
  },
);
