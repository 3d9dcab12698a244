import { Request } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { loopHash } from "./loop.ts";
import { Dialog } from "./test-kit/dialog.ts";
import type { Sent } from "./test-kit/phone.ts";
import { Scene } from "./test-kit/scene.ts";

const finals = (sent: Sent): readonly number[] => sent.statuses.filter((status) => status >= 200);

const invites = (scene: Scene): number =>
  scene.network.log.filter(({ to, wire }) => to === "192.0.2.1:5060" && wire.startsWith("INVITE"))
    .length;

describe("Proxy, loops, RFC 5393 §4.2", () => {
  const loops: readonly (readonly [what: string, bindings: Record<string, readonly string[]>])[] = [
    [
      "two users who point at each other",
      { bob: ["sip:carol@192.0.2.1"], carol: ["sip:bob@192.0.2.1"] },
    ],
    ["a user who points at this server's address", { bob: ["sip:bob@192.0.2.1:5060"] }],
    [
      "ten Contacts that all lead back",
      { bob: Array.from({ length: 10 }, (_, index) => `sip:bob@192.0.2.1;x=${index}`) },
    ],
  ];
  for (const [what, bindings] of loops) {
    it(`answers 482 to ${what}`, async () => {
      const scene = await Scene.start();
      const alice = await scene.phone("alice");
      for (const [user, contacts] of Object.entries(bindings)) {
        for (const contact of contacts) await alice.register({ user, contact });
      }
      const sent = alice.send("INVITE", "sip:bob@example.com");
      await scene.advance(1000);
      expect(finals(sent)).toEqual([482]);
      expect(invites(scene)).toBeLessThan(40);
      expect(scene.errors).toEqual([]);
      expect(scene.server.counters()).toHaveProperty("loops");
    });
  }

  it("lets a spiral pass, and finds the way back through it", async () => {
    const scene = await Scene.start();
    const [alice, bob] = [await scene.phone("alice", "tcp"), await scene.phone("bob", "tcp")];
    await bob.register();
    await bob.register({ user: "sales", contact: "sip:bob@192.0.2.1" });
    await bob.register({ user: "office", contact: "sip:sales@192.0.2.1;transport=tcp" });
    const call = alice.send("INVITE", "sip:office@example.com");
    await scene.advance(50);
    expect(finals(call)).toEqual([200]);
    const caller = Dialog.ofCaller(call.request, call.last);
    expect(caller.routes).toHaveLength(6);
    const callee = Dialog.ofCallee(bob.got("INVITE"), call.last);
    const info = alice.sendAs(caller.request("INFO"));
    const bye = bob.sendAs(callee.request("BYE"));
    await scene.advance(50);
    expect(finals(info)).toEqual([200]);
    expect(finals(bye)).toEqual([200]);
    expect(bob.methods).toEqual(["INVITE", "ACK", "INFO"]);
    expect(alice.methods).toEqual(["BYE"]);
  });

  it("rings the real device of a user who also points at a loop", async () => {
    const scene = await Scene.start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    await bob.register({ contact: "sip:bob@192.0.2.1" });
    bob.answer = (request) => bob.respond(request, 486);
    const sent = alice.send("INVITE", "sip:bob@example.com");
    await scene.advance(100);
    expect(finals(sent)).toEqual([486]);
  });

  it("makes nothing of foreign Vias that look odd", async () => {
    const scene = await Scene.start();
    const [alice, bob] = [await scene.phone("alice"), await scene.phone("bob")];
    await bob.register();
    const sent = alice.send("INVITE", "sip:bob@example.com", {
      Via: [
        'SIP/2.0/UDP 192.0.2.50;odd;x="a;,b";branch=z9hG4bK1.2.3',
        "SIP/2.0/UDP 192.0.2.1:5060;branch=old",
      ],
    });
    await scene.advance(50);
    expect(finals(sent)).toEqual([200]);
  });
});

describe("loopHash, RFC 5393 §4.2.1", () => {
  const base = (): Request =>
    Request.parse(
      [
        "INVITE sip:bob@example.com SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1",
        "From: <sip:alice@example.com>;tag=a",
        "To: <sip:bob@example.com>",
        "Call-ID: c",
        "CSeq: 1 INVITE",
        "",
        "",
      ].join("\r\n"),
    );
  const groups = [[{ uri: "sip:bob@192.0.2.10", target: undefined, otherwise: undefined }]];
  const hashed = (change: (request: Request) => void): string => {
    const request = base();
    change(request);
    return loopHash(request, groups, true);
  };
  const unchanged = hashed(() => undefined);

  it("is the same for an ACK or CANCEL, and whatever was proved or tagged", () => {
    expect(unchanged).toMatch(/^[0-9a-z]{7}$/);
    expect(hashed((request) => request.headers.set("To", "<sip:bob@example.com>;tag=b"))).toBe(
      unchanged,
    );
    expect(hashed((request) => request.headers.set("CSeq", "1 ACK"))).toBe(unchanged);
    expect(
      hashed((request) => {
        request.method = "CANCEL";
      }),
    ).toBe(unchanged);
    expect(hashed((request) => request.headers.set("Proxy-Authorization", "Digest x=y"))).toBe(
      unchanged,
    );
  });

  it("takes no notice of Routes that are not followed", () => {
    const request = base();
    request.headers.set("Route", "<sip:192.0.2.8;lr>");
    expect(loopHash(request, groups, false)).toBe(unchanged);
  });

  it("differs with everything that decides where the request goes", () => {
    const others = [
      hashed((request) => request.headers.set("Route", "<sip:192.0.2.8;lr>")),
      hashed((request) => request.headers.set("Call-ID", "d")),
      hashed((request) => request.headers.set("CSeq", "2 INVITE")),
      hashed((request) => request.headers.set("From", "<sip:alice@example.com>;tag=z")),
      loopHash(base(), [...groups, ...groups], true),
    ];
    expect(new Set([unchanged, ...others]).size).toBe(others.length + 1);
  });
});
