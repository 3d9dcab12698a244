import { describe, expect, it } from "vitest";
import { SipError } from "../errors.ts";
import { parseLeg, parseLegAddress } from "./leg-address.ts";

describe("leg addresses", () => {
  it.each([
    ["udp:127.0.0.1:5062", "udp", "127.0.0.1", 5062],
    ["udp:127.0.0.1", "udp", "127.0.0.1", 5060],
    ["TCP:[::1]:0", "tcp", "::1", 0],
    ["tls:[2001:DB8:0::1]", "tls", "2001:db8::1", 5061],
    ["ws:0.0.0.0", "ws", "0.0.0.0", 80],
    ["wss:0.0.0.0", "wss", "0.0.0.0", 443],
  ])("takes %s apart", (text, protocol, address, port) => {
    expect(parseLegAddress(text)).toEqual({ protocol, address, port });
  });

  it("makes options of a text", () => {
    expect(parseLeg("tcp:[0::1]")).toEqual({ listen: "tcp:[::1]:5060" });
  });

  it.each([
    ["", "begins with"],
    ["127.0.0.1:5060", "begins with"],
    ["sctp:127.0.0.1:5060", "begins with"],
    ["constructor:127.0.0.1:5060", "begins with"],
    ["udp", "begins with"],
    ["udp:", "come address and port"],
    ["udp:::1:5060", "come address and port"],
    ["udp:127.0.0.1:65536", "come address and port"],
    ["udp:127.0.0.1:sip", "come address and port"],
    ["udp:localhost:5060", "listens on an IP address"],
    ["udp:1.2.3:5060", "listens on an IP address"],
  ])("says what is wrong with %j", (text, fault) => {
    const refused = expect(() => parseLeg(text));
    refused.toThrow(SipError);
    refused.toThrow(expect.objectContaining({ code: "SIP_BAD_LEG" }));
    refused.toThrow(fault);
  });
});
