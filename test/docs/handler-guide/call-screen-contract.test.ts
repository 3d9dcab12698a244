import { describeHandler } from "@sipkit/core/testing";
import { describe, it } from "vitest";
import { CallScreen } from "./call-screen.ts";

describeHandler(
  "CallScreen",
  () => new CallScreen({ reputation: async () => 0.95 }),
  { describe, it },
  {
    takes: ["INVITE sip:bob@example.com SIP/2.0"],
    ignores: [
      "MESSAGE sip:bob@example.com SIP/2.0",
      "INVITE sip:bob@example.com SIP/2.0\nTo: <sip:bob@example.com>;tag=1",
    ],
  },
);
