import { describe, expect, it } from "vitest";
import { newRequest } from "../test-kit/new-request.ts";
import { nodeOfRoute } from "./route-node.ts";
import { RouteTokens } from "./route-tokens.ts";
import { secretRing } from "./secret-ring.ts";

const flow = {
  node: "host/2",
  epoch: "e",
  protocol: "udp",
  local: "192.0.2.1:5060",
  remote: "192.0.2.7:40000",
} as const;
const tokens = new RouteTokens(secretRing("any secret"));

describe("nodeOfRoute", () => {
  it("gives the node whose flow a Record-Route or a Path names, whoever signed it", () => {
    for (const token of [
      tokens.sign(newRequest("INVITE", "sip:bob@example.com"), "a", flow),
      tokens.signFlow(flow),
    ]) {
      expect(nodeOfRoute(`sip:${token}@192.0.2.1:5060;lr`)).toBe("host/2");
    }
  });

  it.each([
    [
      "a token without a flow",
      `sip:${tokens.sign(newRequest("INVITE", "sip:bob@example.com"), "b", undefined)}@192.0.2.1;lr`,
    ],
    ["a user of that length", `sip:${"a".repeat(60)}@192.0.2.1;lr`],
    ["a user", "sip:alice@192.0.2.1;lr"],
    ["no user", "sip:192.0.2.1;lr"],
    ["another scheme", "tel:+15550100"],
    ["what is no URI", "sip:%"],
  ])("gives nothing for %s", (_what, uri) => {
    expect(nodeOfRoute(uri)).toBeUndefined();
  });
});
