import { identity, type Packet, Request, type Response } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { expect, it } from "vitest";
import { Authorize } from "./authorize.ts";
import { authorize } from "./digest-client.ts";
it("smoke", async () => {
  const seen: Packet[] = [];
  const server = await TestServer.start([
    new Authorize({ realm: "example.com", credentials: { alice: "secret" } }),
    (p) => { seen.push(p); return p.isRequest ? p.createResponse(200) : undefined; },
  ]);
  const a = await server.ask(`REGISTER sip:example.com SIP/2.0
To: <sip:alice@example.com>
Contact: <sip:alice@192.0.2.100>`);
  const r = a.sent[0] as Response;
  console.log(r.toWire(), a.by, server.errors);
  const q = Request.parse(`REGISTER sip:example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bK1
Max-Forwards: 70
From: <sip:alice@example.com>;tag=1
To: <sip:alice@example.com>
Call-ID: a
CSeq: 1 REGISTER
Content-Length: 0

`);
  expect(authorize(q, r, ["alice", "secret"])).toBe(true);
  const b = await server.ask(q);
  console.log(q.toWire(), (b.sent[0] as Response).toWire(), seen[0]?.get(identity), seen[0]?.toWire(), server.errors);
  await server.close();
});
