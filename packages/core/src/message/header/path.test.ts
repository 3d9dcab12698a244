import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { path } from "./path.ts";

describe("Path, RFC 3327 §4", () => {
  it("reads an address with its parameters", () => {
    const value = path.parse("<sip:P1.EXAMPLEVISITED.COM;lr;ob>");
    expect(value.uri).toBe("sip:P1.EXAMPLEVISITED.COM;lr;ob");
    expect(value.params.toString()).toBe("");
    expect(path.format(value)).toBe("<sip:P1.EXAMPLEVISITED.COM;lr;ob>");
    expect(path.name).toBe("Path");
  });

  it.each(["", "nonsense", "<sip:a@b", '"x', "<sip:a@b>;;x", "<sip:a@b>, <sip:c@d>"])(
    "refuses %j",
    (text) => {
      expect(() => path.parse(text)).toThrow(ParseError);
      expect(() => path.parse(text)).toThrow(
        expect.objectContaining({ status: 400, header: "Path" }),
      );
    },
  );
});
