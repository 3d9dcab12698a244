import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { route } from "./route.ts";

describe("Route, RFC 3261 §20.34", () => {
  it("reads an address with its parameters", () => {
    const value = route.parse("<sip:bigbox3.site3.atlanta.com;lr>");
    expect(value.uri).toBe("sip:bigbox3.site3.atlanta.com;lr");
    expect(value.params.toString()).toBe("");
    expect(route.format(value)).toBe("<sip:bigbox3.site3.atlanta.com;lr>");
    expect(route.name).toBe("Route");
  });

  it.each(["", "nonsense", "<sip:a@b", '"x', "<sip:a@b>;;x", "<sip:a@b>, <sip:c@d>"])(
    "refuses %j",
    (text) => {
      expect(() => route.parse(text)).toThrow(ParseError);
      expect(() => route.parse(text)).toThrow(
        expect.objectContaining({ status: 400, header: "Route" }),
      );
    },
  );
});
