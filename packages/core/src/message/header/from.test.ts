import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { from } from "./from.ts";

describe("From, RFC 3261 §20.20", () => {
  it("reads an address with its parameters", () => {
    const value = from.parse("A. G. Bell <sip:agb@bell-telephone.com> ;tag=a48s");
    expect(value.uri).toBe("sip:agb@bell-telephone.com");
    expect(value.params.toString()).toBe(";tag=a48s");
    expect(from.format(value)).toBe("A. G. Bell <sip:agb@bell-telephone.com>;tag=a48s");
    expect(from.name).toBe("From");
  });

  it.each(["", "nonsense", "<sip:a@b", '"x', "<sip:a@b>;;x", "<sip:a@b>, <sip:c@d>"])(
    "refuses %j",
    (text) => {
      expect(() => from.parse(text)).toThrow(ParseError);
      expect(() => from.parse(text)).toThrow(
        expect.objectContaining({ status: 400, header: "From" }),
      );
    },
  );
});
