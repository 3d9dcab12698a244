import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { serviceRoute } from "./service-route.ts";

describe("Service-Route, RFC 3608 §5", () => {
  it("reads an address with its parameters", () => {
    const value = serviceRoute.parse("<sip:orig@scscf.home1.net;lr>");
    expect(value.uri).toBe("sip:orig@scscf.home1.net;lr");
    expect(value.params.toString()).toBe("");
    expect(serviceRoute.format(value)).toBe("<sip:orig@scscf.home1.net;lr>");
    expect(serviceRoute.name).toBe("Service-Route");
  });

  it.each(["", "nonsense", "<sip:a@b", '"x', "<sip:a@b>;;x", "<sip:a@b>, <sip:c@d>"])(
    "refuses %j",
    (text) => {
      expect(() => serviceRoute.parse(text)).toThrow(ParseError);
      expect(() => serviceRoute.parse(text)).toThrow(
        expect.objectContaining({ status: 400, header: "Service-Route" }),
      );
    },
  );
});
