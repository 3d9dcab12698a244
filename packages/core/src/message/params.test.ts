import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError, SipError } from "../errors.ts";
import { checkParams, Params } from "./params.ts";
import { Wire } from "./wire.ts";

const token = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/);
const value = fc.oneof(
  fc.constant(undefined),
  token,
  fc.stringMatching(/^[ -~]{0,20}$/),
  fc.constantFrom("[2001:db8::1]", "192.0.2.1:5060", 'say "hi"', "back\\slash", ";=,<>"),
);

describe("Params", () => {
  it("finds a parameter in any case and wherever it stands", () => {
    const params = new Params(";a=1;Lr;Transport=TCP; spaced = x ;q=0.5");
    expect(params.get("A")).toBe("1");
    expect(params.get("transport")).toBe("TCP");
    expect(params.get("spaced")).toBe("x");
    expect(params.get("q")).toBe("0.5");
    expect(params.has("lr")).toBe(true);
    expect(params.get("lr")).toBeUndefined();
    expect(params.has("l")).toBe(false);
    expect(params.has("ransport")).toBe(false);
  });

  it("takes quotes and what they escape off, and isn't misled by what is in them", () => {
    const params = new Params(';a="x;b=no\\";c=\\\\";b=yes');
    expect(params.get("a")).toBe('x;b=no";c=\\');
    expect(params.get("b")).toBe("yes");
    expect(params.has("c")).toBe(false);
  });

  it("looks up users' names like any other", () => {
    const params = new Params(";__proto__=x;constructor");
    expect(params.get("__proto__")).toBe("x");
    expect(params.has("constructor")).toBe(true);
    expect(params.has("toString")).toBe(false);
    expect(Params.empty.has("__proto__")).toBe(false);
  });

  it("sets one in its place and drops its doubles, or at the end", () => {
    expect(new Params(";a=1;b;a=2").with("A", "3").toString()).toBe(";A=3;b");
    expect(new Params(";a=1").with("lr").toString()).toBe(";a=1;lr");
    expect(Params.empty.with("x", "a b").toString()).toBe(';x="a b"');
    expect(Params.empty.with("received", "2001:db8::1").toString()).toBe(";received=2001:db8::1");
  });

  it("leaves out every one of a name", () => {
    expect(new Params(";a=1;b;A;c").without("a").toString()).toBe(";b;c");
    const params = new Params(";b");
    expect(params.without("a")).toBe(params);
  });

  it("lists what there is, in order", () => {
    expect([...new Params(';a=1;lr;b="x y"')]).toEqual([
      ["a", "1"],
      ["lr", undefined],
      ["b", "x y"],
    ]);
  });

  it("refuses a name that is no token, and line ends and NUL in a value", () => {
    expect(() => Params.empty.with("a b", "x")).toThrow(SipError);
    for (const bad of ["a\r\nb", "a\nb", "a\0b"]) {
      expect(() => Params.empty.with("x", bad)).toThrow(
        expect.objectContaining({ code: "SIP_BAD_HEADER" }),
      );
    }
  });

  it("gives back what was set", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(token, value), { selector: ([n]) => n.toLowerCase() }),
        (all) => {
          let params = Params.empty;
          for (const [name, each] of all) params = params.with(name, each);
          expect([...params]).toEqual(all);
          for (const [name, each] of all) expect(params.get(name)).toBe(each);
          const wire = Wire.of(params.toString());
          checkParams(wire, 0, wire.text.length, "Test");
        },
      ),
    );
  });

  it("reads ten thousand parameters in time that grows with their number", () => {
    const params = new Params(";a=b".repeat(10_000));
    expect(params.get("c")).toBeUndefined();
    expect([...params.with("c", "d")]).toHaveLength(10_001);
    expect(params.without("a").toString()).toBe("");
  });
});

describe("checkParams", () => {
  const check = (text: string): void => {
    const wire = Wire.of(text);
    checkParams(wire, 0, text.length, "Test");
  };

  it.each([";a", ";a=b", "; a = b ; c", ';a="b;c,d"', ";a=[::1]:5060", ';a="" ;b', ";a=1.2.3.4"])(
    "takes %s",
    (text) => {
      expect(() => check(text)).not.toThrow();
    },
  );

  it.each([
    ";",
    ";;",
    ";a;;b",
    ";a=",
    ";a=;b",
    ';a="b',
    ";a=b c",
    ";a=b,c",
    ";=b",
    ";a b",
    "a",
    ';a="b"c',
    ";a=<b>",
  ])("refuses %s", (text) => {
    expect(() => check(text)).toThrow(ParseError);
    expect(() => check(text)).toThrow(expect.objectContaining({ status: 400, header: "Test" }));
  });
});
