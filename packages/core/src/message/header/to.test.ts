import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { to } from "./to.ts";

describe("To, RFC 3261 §20.39", () => {
  it("reads an address with its parameters", () => {
    const value = to.parse("sip:+12125551212@server.phone2net.com;tag=287447");
    expect(value.uri).toBe("sip:+12125551212@server.phone2net.com");
    expect(value.params.toString()).toBe(";tag=287447");
    expect(to.format(value)).toBe("<sip:+12125551212@server.phone2net.com>;tag=287447");
    expect(to.name).toBe("To");
  });

  it.each(["", "nonsense", "<sip:a@b", '"x', "<sip:a@b>;;x", "<sip:a@b>, <sip:c@d>"])(
    "refuses %j",
    (text) => {
      expect(() => to.parse(text)).toThrow(ParseError);
      expect(() => to.parse(text)).toThrow(expect.objectContaining({ status: 400, header: "To" }));
    },
  );
});
