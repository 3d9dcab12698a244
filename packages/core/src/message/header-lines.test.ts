import { describe, expect, it } from "vitest";
import { ParseError, SipError } from "../errors.ts";
import { contact } from "./header/contact.ts";
import { expires } from "./header/expires.ts";
import { recordRoute } from "./header/record-route.ts";
import { supported } from "./header/supported.ts";
import { via } from "./header/via.ts";
import type { HeaderField } from "./header-field.ts";
import { HeaderLines } from "./header-lines.ts";
import { Request } from "./request.ts";

const TEXT = [
  "OPTIONS sip:b SIP/2.0",
  "v: SIP/2.0/UDP one;branch=z9hG4bK1, SIP/2.0/UDP two;branch=z9hG4bK2",
  "Via:SIP/2.0/UDP three;branch=z9hG4bK3",
  "FROM : <sip:a@b>;tag=1",
  "t: <sip:b@c>",
  "i: x@y",
  "CSeq: 1 OPTIONS",
  "Subject:  a, b ",
  "Supported:",
  "k: 100rel,, timer",
  'Contact: "a, b" <sip:a,b@c>;q=1, <sip:d@e>',
  "X-Own: 1, 2",
  "x-own: 3",
  "X-Folded: a",
  "\tb",
  "  c",
  "",
  "",
].join("\r\n");

function headers(): Request["headers"] {
  return Request.parse(TEXT).headers;
}

const own: HeaderField<number> = {
  name: "X-Own",
  parse: (value) => Number.parseInt(value, 10),
  format: String,
};

describe("Headers, reading", () => {
  it("finds a header in any case and by its compact form, both ways", () => {
    const all = headers();
    expect(all.get("VIA")).toBe("SIP/2.0/UDP one;branch=z9hG4bK1");
    expect(all.get("v")).toBe("SIP/2.0/UDP one;branch=z9hG4bK1");
    expect(all.get("from")).toBe("<sip:a@b>;tag=1");
    expect(all.get("f")).toBe("<sip:a@b>;tag=1");
    expect(all.get("To")).toBe("<sip:b@c>");
    expect(all.get("Call-ID")).toBe("x@y");
    expect(all.get("s")).toBe("a, b");
    expect(all.has("m")).toBe(true);
    expect(all.has("Route")).toBe(false);
    expect(all.get("Route")).toBeUndefined();
    expect(all.getAll("Route")).toEqual([]);
  });

  it("splits at commas where the grammar has a list, and nowhere else", () => {
    const all = headers();
    expect(all.getAll("Via")).toHaveLength(3);
    expect(all.getAll("Contact")).toEqual(['"a, b" <sip:a,b@c>;q=1', "<sip:d@e>"]);
    expect(all.getAll("Supported")).toEqual(["100rel", "timer"]);
    expect(all.get("Supported")).toBe("100rel");
    expect(all.getAll("Subject")).toEqual(["a, b"]);
    expect(all.getAll("x-own")).toEqual(["1, 2", "3"]);
  });

  it("unfolds", () => {
    expect(headers().get("x-folded")).toBe("a b c");
  });

  it("lists the lines as they are spelled, in order", () => {
    const lines = [...headers()];
    expect(lines.map(([name]) => name)).toEqual([
      ...["v", "Via", "FROM", "t", "i", "CSeq", "Subject", "Supported", "k", "Contact"],
      ...["X-Own", "x-own", "X-Folded"],
    ]);
    expect(lines[8]).toEqual(["k", "100rel,, timer"]);
  });

  it("has no header that an object has", () => {
    const all = headers();
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "length"]) {
      expect(all.has(name)).toBe(false);
      expect(all.get(name)).toBeUndefined();
    }
    all.set("__proto__", "x");
    expect(all.get("__PROTO__")).toBe("x");
    expect(all.has("constructor")).toBe(false);
  });

  it("reads a value once, and every value", () => {
    const all = headers();
    expect(all.read(via)).toBe(all.read(via));
    expect(all.readAll(via).map(({ branch }) => branch)).toEqual([
      "z9hG4bK1",
      "z9hG4bK2",
      "z9hG4bK3",
    ]);
    expect(all.readAll(supported)).toEqual(["100rel", "timer"]);
    expect(all.read(supported)).toBe("100rel");
    expect(all.read(contact)).toMatchObject({ displayName: "a, b", uri: "sip:a,b@c", q: 1 });
    expect(all.read(expires)).toBeUndefined();
    expect(all.readAll(recordRoute)).toEqual([]);
  });

  it("reads a third party's field, by its compact form as well", () => {
    const all = headers();
    expect(all.read(own)).toBe(1);
    expect(all.readAll(own)).toEqual([1, 3]);
    all.append("z", "7");
    expect(all.read({ ...own, name: "X-Other", compact: "z" })).toBe(7);
  });

  it("throws a field's ParseError each time", () => {
    const all = headers();
    all.set("Expires", "+5");
    expect(() => all.read(expires)).toThrow(ParseError);
    expect(() => all.read(expires)).toThrow(ParseError);
    expect(all.get("expires")).toBe("+5");
  });

  it("reads one parameter", () => {
    const all = headers();
    expect(all.param(via, "branch")).toBe("z9hG4bK1");
    expect(all.param(via, "received")).toBeUndefined();
    expect(all.param(recordRoute, "lr")).toBeUndefined();
  });

  it("decodes UTF-8, and leaves alone what is none", () => {
    const utf8 = Buffer.from(TEXT.replace("a, b ", "größer"), "utf8");
    expect(Request.parse(utf8).headers.get("subject")).toBe("größer");
    const latin1 = Buffer.from(TEXT.replace("a, b ", "größer"), "latin1");
    const parsed = Request.parse(latin1);
    expect(parsed.headers.get("subject")).toBe("größer");
    expect(Buffer.from(parsed.toBytes())).toEqual(latin1);
  });
});

describe("Headers, writing", () => {
  const wire = (change: (all: Request["headers"]) => void): string[] => {
    const request = Request.parse(TEXT);
    change(request.headers);
    return request.toWire().split("\r\n").slice(1, -2);
  };
  const untouched = TEXT.split("\r\n").slice(1, -2);

  it("sets in the place of the first and drops the rest", () => {
    const lines = wire((all) => all.set("via", ["SIP/2.0/UDP x", "SIP/2.0/UDP y"]));
    expect(lines.slice(0, 3)).toEqual([
      "via: SIP/2.0/UDP x",
      "via: SIP/2.0/UDP y",
      "FROM : <sip:a@b>;tag=1",
    ]);
    expect(wire((all) => all.set("X-OWN", "9")).filter((line) => /^x-own/i.test(line))).toEqual([
      "X-OWN: 9",
    ]);
    expect(wire((all) => all.set("X-New", "9")).at(-2)).toBe("X-New: 9");
    expect(wire((all) => all.set("v", [])).some((line) => line.startsWith("v:"))).toBe(false);
  });

  it("appends after the last of a name and prepends before the first", () => {
    expect(wire((all) => all.append("Via", "SIP/2.0/UDP x"))[2]).toBe("Via: SIP/2.0/UDP x");
    expect(wire((all) => all.prepend("Via", "SIP/2.0/UDP x"))[0]).toBe("Via: SIP/2.0/UDP x");
    expect(wire((all) => all.prepend("Subject", "x"))[6]).toBe("Subject: x");
    expect(wire((all) => all.append("Route", "<sip:x>")).at(-2)).toBe("Route: <sip:x>");
    expect(wire((all) => all.prepend("Route", "<sip:x>"))[0]).toBe("Route: <sip:x>");
  });

  it("leaves every other line as it came", () => {
    const lines = wire((all) => {
      all.set("Subject", "x");
      all.append("X-New", "y");
    });
    expect(lines).toEqual([
      ...untouched.map((line) => (line.startsWith("Subject") ? "Subject: x" : line)),
      "X-New: y",
      "Content-Length: 0",
    ]);
  });

  it("deletes and tells whether there was one", () => {
    const all = headers();
    expect(all.delete("VIA")).toBe(true);
    expect(all.delete("via")).toBe(false);
    expect(all.has("v")).toBe(false);
    expect(all.getAll("x-own")).toHaveLength(2);
  });

  it("takes one value off after the other, out of lists too", () => {
    const request = Request.parse(TEXT);
    const all = request.headers;
    expect(all.shift("via")).toBe("SIP/2.0/UDP one;branch=z9hG4bK1");
    expect(request.toWire().split("\r\n")[1]).toBe("v: SIP/2.0/UDP two;branch=z9hG4bK2");
    expect(request.branch).toBe("z9hG4bK2");
    expect(all.shift("via")).toBe("SIP/2.0/UDP two;branch=z9hG4bK2");
    expect(all.shift("via")).toBe("SIP/2.0/UDP three;branch=z9hG4bK3");
    expect(all.shift("via")).toBeUndefined();
    expect(all.shift("supported")).toBe("100rel");
    expect(all.getAll("supported")).toEqual(["timer"]);
    expect(all.shift("x-own")).toBe("1, 2");
    expect(all.shift("X-Own")).toBe("3");
  });

  it("writes fields, and what is written is read again", () => {
    const all = headers();
    all.write(expires, 60);
    expect(all.get("expires")).toBe("60");
    all.write(supported, ["path", "gruu"]);
    expect(all.readAll(supported)).toEqual(["path", "gruu"]);
    all.write(own, 5);
    expect(all.readAll(own)).toEqual([5]);
  });

  it("sends text beyond ASCII as UTF-8, and trims", () => {
    const request = Request.parse(TEXT);
    request.headers.set("Subject", "  жук \t");
    expect(request.headers.get("subject")).toBe("жук");
    expect(Buffer.from(request.toBytes()).toString("utf8")).toContain("\r\nSubject: жук\r\n");
  });

  it.each([
    ["CR LF", "a\r\nX-Injected: b"],
    ["LF", "a\nb"],
    ["CR", "a\rb"],
    ["NUL", "a\0b"],
    ["a trailing line end", "a\r\n"],
  ])("refuses %s in a value", (_, value) => {
    const all = headers();
    const before = [...all];
    const refused = expect.objectContaining({ code: "SIP_BAD_HEADER" });
    expect(() => all.set("Subject", value)).toThrow(refused);
    expect(() => all.set("Subject", ["ok", value])).toThrow(refused);
    expect(() => all.append("Subject", value)).toThrow(refused);
    expect(() => all.prepend("Subject", value)).toThrow(refused);
    expect(() => all.write(supported, value)).toThrow(SipError);
    expect([...all]).toEqual(before);
  });

  it.each(["", "a b", "a:", "a\r\nb", "é", "a(b"])("refuses %j as a name", (name) => {
    const refused = expect.objectContaining({ code: "SIP_BAD_HEADER" });
    expect(() => headers().set(name, "x")).toThrow(refused);
    expect(() => headers().append(name, "x")).toThrow(refused);
    expect(() => headers().prepend(name, "x")).toThrow(refused);
  });

  it("finds the first lines whatever came and went", () => {
    const all = headers();
    all.prepend("X-Top", "1");
    expect(all.get("call-id")).toBe("x@y");
    all.delete("x-top");
    expect(all.get("cseq")).toBe("1 OPTIONS");
    all.append("Expires", "5");
    expect(all.has("expires")).toBe(true);
    expect(all.read(expires)).toBe(5);
  });
});

describe("Headers made from a record or pairs", () => {
  it("keeps order, and makes a line of each value", () => {
    const record = HeaderLines.from({ Subject: "x", "X-A": ["1", "2"] });
    expect([...record]).toEqual([
      ["Subject", "x"],
      ["X-A", "1"],
      ["X-A", "2"],
    ]);
    const pairs = HeaderLines.from(new Map([["Subject", "x"]]));
    expect([...pairs]).toEqual([["Subject", "x"]]);
    expect([...HeaderLines.from(undefined)]).toEqual([]);
  });
});
