import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Request } from "../message/request.ts";
import { completeRequest } from "../testing/complete.ts";
import type { FlowRef } from "../transport/flow.ts";
import { RouteTokens } from "./route-tokens.ts";

const flow: FlowRef = {
  node: "node",
  epoch: "epoch",
  protocol: "tcp",
  local: "192.0.2.1:5060",
  remote: "[2001:db8::1]:40000",
  connection: 7,
};
const invite = request("INVITE sip:bob@example.com SIP/2.0");
const fromCaller = request("BYE sip:bob@example.com SIP/2.0\nTo: <sip:bob@example.com>;tag=bob");
const fromCallee = request(
  "BYE sip:alice@example.com SIP/2.0\nFrom: <sip:bob@example.com>;tag=bob\nTo: <sip:alice@example.com>;tag=alice",
);

function request(text: string): Request {
  return Request.parse(completeRequest(text));
}

describe("a route token", () => {
  const tokens = new RouteTokens(["secret"]);

  it("names the callee's flow to the caller and the caller's to the callee", () => {
    expect(tokens.verify(tokens.sign(invite, "b", flow), fromCaller)).toEqual({ side: "b", flow });
    expect(tokens.verify(tokens.sign(invite, "a", flow), fromCallee)).toEqual({ side: "a", flow });
  });

  it("names a flow to whoever has it, in a Path", () => {
    const path = tokens.signFlow(flow);
    for (const any of [invite, fromCaller, fromCallee]) {
      expect(tokens.verify(path, any)).toEqual({ side: "b", flow, byPath: true });
    }
    expect(new RouteTokens(["other"]).verify(path, invite)).toBeUndefined();
    // Neither is good for the other, whatever its first letter is made.
    const route = tokens.sign(invite, "b", flow);
    const swap = (token: string, letter: string) => token.slice(0, 22) + letter + token.slice(23);
    expect(tokens.verify(swap(path, "b"), fromCaller)).toBeUndefined();
    expect(tokens.verify(swap(route, "p"), fromCaller)).toBeUndefined();
    expect(tokens.verify(`${path}x`, invite)).toBeUndefined();
  });

  it("is known again by every secret of a ring, and made with the first", () => {
    const old = new RouteTokens(["old"]);
    const rotated = new RouteTokens(["new", "old"]);
    for (const maker of [old, rotated]) {
      expect(rotated.verify(maker.signFlow(flow), invite)).toBeDefined();
      expect(rotated.verify(maker.sign(invite, "b", flow), fromCaller)).toBeDefined();
    }
    expect(old.verify(rotated.signFlow(flow), invite)).toBeUndefined();
    expect(new RouteTokens(["new"]).verify(rotated.signFlow(flow), invite)).toBeDefined();
    expect(new RouteTokens(["new", "x"]).verify(old.signFlow(flow), invite)).toBeUndefined();
  });

  it("can do without a flow", () => {
    expect(tokens.verify(tokens.sign(invite, "b", undefined), fromCaller)).toEqual({
      side: "b",
      flow: undefined,
    });
  });

  it("is worth nothing in another dialog, the other way round, or at another server", () => {
    const token = tokens.sign(invite, "b", flow);
    const stranger = request("BYE sip:bob@example.com SIP/2.0\nCall-ID: other");
    expect(tokens.verify(token, stranger)).toBeUndefined();
    expect(tokens.verify(token, fromCallee)).toBeUndefined();
    expect(new RouteTokens(["other"]).verify(token, fromCaller)).toBeUndefined();
  });

  it("is worth nothing when any character of it is changed", () => {
    const token = tokens.sign(invite, "b", flow);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.integer({ min: 0x21, max: 0xff }), (at, code) => {
        const changed = token.slice(0, at) + String.fromCharCode(code) + token.slice(at + 1);
        return changed === token || tokens.verify(changed, fromCaller) === undefined;
      }),
    );
  });

  it("is made of characters that a user part may have unescaped, RFC 3261 §25.1", () => {
    expect(tokens.sign(invite, "b", flow)).toMatch(/^[\w-]+$/);
  });
});
