import { type AnyHandler, identity, onRequest, type Target, targets } from "@sipkit/core";
import { describeHandler, type HandlerSuiteOptions } from "@sipkit/core/testing";
import { describe, it } from "vitest";
import { Proxy } from "./proxy.ts";
import { Redirect } from "./redirect.ts";
import { StatelessProxy } from "./stateless-proxy.ts";

const phone: Target = { uri: "sip:bob@192.0.2.7", q: 1, route: [], expiresAt: 0 };

/** Everybody is proved to be alice, and bob has a phone. */
function before(): readonly AnyHandler[] {
  return [
    onRequest("*", (request) => {
      const addressOfRecord = "sip:alice@example.com";
      request.set(identity, {
        user: "alice",
        realm: "example.com",
        addressOfRecord,
        scheme: "test",
      });
      if (request.uri.startsWith("sip:bob@")) request.set(targets, [phone]);
    }),
  ];
}

const options: HandlerSuiteOptions = {
  before,
  takes: ["INVITE sip:bob@example.com SIP/2.0", "MESSAGE sip:carol@192.0.2.7 SIP/2.0"],
};

describeHandler("Proxy", () => new Proxy({ fork: "serial" }), { describe, it }, options);
describeHandler("StatelessProxy", () => new StatelessProxy(), { describe, it }, options);
describeHandler(
  "StatelessProxy that rewrites Contacts",
  () => new StatelessProxy({ rewriteContact: "always", maxRecords: 10 }),
  { describe, it },
  options,
);
describeHandler(
  "Redirect",
  () => new Redirect(),
  { describe, it },
  { before, takes: ["INVITE sip:bob@example.com SIP/2.0"] },
);
