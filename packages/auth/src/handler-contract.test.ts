import { describeHandler } from "@sipkit/core/testing";
import { describe, it } from "vitest";
import { AssertedIdentity } from "./asserted-identity.ts";
import { Authorize } from "./authorize.ts";
import { Permit } from "./permit.ts";
import { Throttle } from "./throttle.ts";
import { TrustedPeers } from "./trusted-peers.ts";

describeHandler(
  "Authorize",
  () => new Authorize({ realm: "example.com", credentials: { alice: "secret" } }),
  { describe, it },
  {
    ignores: ["ACK sip:bob@example.com SIP/2.0", "CANCEL sip:bob@example.com SIP/2.0"],
    takes: [
      "REGISTER sip:example.com SIP/2.0",
      'INVITE sip:bob@example.com SIP/2.0\nProxy-Authorization: Digest username="alice", realm="example.com", nonce="n", uri="sip:bob@example.com", response="00000000000000000000000000000000"',
    ],
  },
);

describeHandler(
  "Throttle",
  () => new Throttle(),
  { describe, it },
  { ignores: ["ACK sip:bob@example.com SIP/2.0", "OPTIONS sip:bob@example.com SIP/2.0"] },
);

describeHandler(
  "Permit",
  () => new Permit({}),
  { describe, it },
  {
    ignores: ["ACK sip:bob@example.com SIP/2.0", "CANCEL sip:bob@example.com SIP/2.0"],
    takes: ["MESSAGE sip:bob@example.com SIP/2.0"],
  },
);

describeHandler(
  "TrustedPeers",
  () => new TrustedPeers([{ name: "pstn", addresses: ["0.0.0.0/0"] }]),
  { describe, it },
  { ignores: ["INVITE sip:bob@example.com SIP/2.0", "REGISTER sip:example.com SIP/2.0"] },
);

describeHandler(
  "AssertedIdentity",
  () => new AssertedIdentity(),
  { describe, it },
  { ignores: ["INVITE sip:bob@example.com SIP/2.0\nP-Preferred-Identity: <sip:x@example.com>"] },
);
