import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { recordRoute } from "./record-route.ts";

describe("Record-Route, RFC 3261 §20.30", () => {
  it("reads an address with its parameters", () => {
    const value = recordRoute.parse("<sip:server10.biloxi.com;lr>;x=1");
    expect(value.uri).toBe("sip:server10.biloxi.com;lr");
    expect(value.params.toString()).toBe(";x=1");
    expect(recordRoute.format(value)).toBe("<sip:server10.biloxi.com;lr>;x=1");
    expect(recordRoute.name).toBe("Record-Route");
  });

  it.each(["", "nonsense", "<sip:a@b", '"x', "<sip:a@b>;;x", "<sip:a@b>, <sip:c@d>"])(
    "refuses %j",
    (text) => {
      expect(() => recordRoute.parse(text)).toThrow(ParseError);
      expect(() => recordRoute.parse(text)).toThrow(
        expect.objectContaining({ status: 400, header: "Record-Route" }),
      );
    },
  );
});
