import { describe, expect, it } from "vitest";
import { Request } from "../message/request.ts";
import { Response } from "../message/response.ts";
import {
  ackKeyOf,
  clientKeyOf,
  clientKeyOfRequest,
  inviteKeyOf,
  isRfc2543Key,
  serverKeyOf,
  serverKeyOfResponse,
} from "./keys.ts";

function request(
  method: string,
  parts: Partial<Record<"via" | "to" | "from" | "callId" | "cseq" | "uri", string>> = {},
) {
  return Request.parse(
    `${method} ${parts.uri ?? "sip:b@example.com"} SIP/2.0
Via: ${parts.via ?? "SIP/2.0/UDP host.example:5060;branch=z9hG4bK1"}
To: ${parts.to ?? "<sip:b@example.com>"}
From: ${parts.from ?? "<sip:a@example.com>;tag=1"}
Call-ID: ${parts.callId ?? "c"}
CSeq: ${parts.cseq ?? "1"} ${method}
Content-Length: 0

`,
  );
}

describe("keys of server transactions, RFC 3261 §17.2.3", () => {
  const key = serverKeyOf(request("REGISTER"));

  it("hold branch, sent-by and method", () => {
    expect(key).toBe("z9hG4bK1|host.example:5060|REGISTER");
    expect(isRfc2543Key(key)).toBe(false);
  });

  it("compare sent-by without case, and look at nothing else", () => {
    const same = request("REGISTER", {
      via: "SIP/2.0/UDP HOST.example:5060 ;received=192.0.2.1;branch=z9hG4bK1",
      callId: "other",
      cseq: "9",
      uri: "sip:other",
    });
    expect(serverKeyOf(same)).toBe(key);
  });

  it.each([
    ["the branch", request("REGISTER", { via: "SIP/2.0/UDP host.example:5060;branch=z9hG4bK2" })],
    ["sent-by", request("REGISTER", { via: "SIP/2.0/UDP other.example:5060;branch=z9hG4bK1" })],
    ["the port", request("REGISTER", { via: "SIP/2.0/UDP host.example:5061;branch=z9hG4bK1" })],
    ["the method", request("OPTIONS")],
  ])("differ by %s", (_, other) => {
    expect(serverKeyOf(other)).not.toBe(key);
  });

  it("of an ACK are its INVITE's, of a CANCEL its own", () => {
    const invite = serverKeyOf(request("INVITE"));
    expect(serverKeyOf(request("ACK"))).toBe(invite);
    expect(serverKeyOf(request("CANCEL"))).not.toBe(invite);
    expect(inviteKeyOf(request("ACK"))).toBe(invite);
    expect(inviteKeyOf(request("CANCEL"))).toBe(invite);
  });

  it("are told by a response too", () => {
    const invite = request("INVITE");
    expect(serverKeyOfResponse(invite.createResponse(200))).toBe(serverKeyOf(invite));
  });
});

describe("keys without the magic cookie", () => {
  const via = "SIP/2.0/UDP host.example:5060";
  const key = serverKeyOf(request("INVITE", { via }));

  it("are another kind, also for a branch without the cookie", () => {
    expect(isRfc2543Key(key)).toBe(true);
    expect(isRfc2543Key(serverKeyOf(request("INVITE", { via: `${via};branch=1` })))).toBe(true);
  });

  it("are those of the cookie alone, which is no identifier, RFC 4475 §3.2.1", () => {
    const of = (callId: string): string =>
      serverKeyOf(request("INVITE", { via: `${via};branch=z9hG4bK`, callId }));
    expect(isRfc2543Key(of("1"))).toBe(true);
    expect(of("1")).toBe(of("1"));
    expect(of("1")).not.toBe(of("2"));
  });

  it("are equal for a retransmission, the ACK with the response's To tag and the CANCEL", () => {
    expect(serverKeyOf(request("INVITE", { via }))).toBe(key);
    expect(serverKeyOf(request("ACK", { via, to: "<sip:b@example.com>;tag=x" }))).toBe(key);
    expect(inviteKeyOf(request("CANCEL", { via }))).toBe(key);
  });

  it.each([
    ["Request-URI", request("INVITE", { via, uri: "sip:c@example.com" })],
    ["From tag", request("INVITE", { via, from: "<sip:a@example.com>;tag=2" })],
    ["Call-ID", request("INVITE", { via, callId: "d" })],
    ["CSeq", request("INVITE", { via, cseq: "2" })],
    ["topmost Via", request("INVITE", { via: "SIP/2.0/UDP other.example:5060" })],
    ["branch", request("INVITE", { via: `${via};branch=1` })],
    ["method", request("INFO", { via })],
  ])("differ by %s", (_, other) => {
    expect(serverKeyOf(other)).not.toBe(key);
  });

  it("of other methods differ by To tag", () => {
    const bye = (tag: string) => serverKeyOf(request("BYE", { via, to: `<sip:b@x>;tag=${tag}` }));
    expect(bye("1")).toBe(bye("1"));
    expect(bye("1")).not.toBe(bye("2"));
  });

  it("can be made when a handler has left From and To malformed", () => {
    const broken = request("INVITE", { via });
    broken.headers.set("from", "<sip:a");
    broken.headers.set("to", "<sip:b");
    expect(() => broken.fromTag).toThrow("Malformed From");
    expect(isRfc2543Key(serverKeyOf(broken))).toBe(true);
    expect(ackKeyOf(broken)).toBe("c\n1\n\n");
  });
});

describe("keys of client transactions, RFC 3261 §17.1.3", () => {
  it("hold branch and CSeq method", () => {
    const invite = request("INVITE");
    const cancel = invite.createCancel();
    expect(clientKeyOfRequest(invite)).toBe("z9hG4bK1|INVITE");
    expect(clientKeyOfRequest(cancel)).toBe("z9hG4bK1|CANCEL");
    expect(clientKeyOf(invite.createResponse(180))).toBe("z9hG4bK1|INVITE");
    expect(clientKeyOf(cancel.createResponse(200))).toBe("z9hG4bK1|CANCEL");
  });

  it("ignore what a server has put into the Via", () => {
    const response = Response.parse(
      "SIP/2.0 200 OK\nVia: SIP/2.0/UDP host.example:5060;received=192.0.2.9;rport=1;branch=z9hG4bK1\nVia: SIP/2.0/UDP x;branch=z9hG4bK2\nTo: <sip:b@x>;tag=1\nFrom: <sip:a@x>;tag=1\nCall-ID: c\nCSeq: 1 INVITE\n\n",
    );
    expect(clientKeyOf(response)).toBe("z9hG4bK1|INVITE");
  });
});

describe("keys of ACKs to 2xx", () => {
  it("are what the 2xx and its ACK have in common", () => {
    const response = request("INVITE").createResponse(200);
    const ack = request("ACK", {
      via: "SIP/2.0/UDP host.example:5060;branch=z9hG4bKack",
      to: response.headers.get("to") as string,
    });
    expect(ackKeyOf(ack)).toBe(ackKeyOf(response));
    expect(ackKeyOf(request("ACK"))).not.toBe(ackKeyOf(response));
  });
});
