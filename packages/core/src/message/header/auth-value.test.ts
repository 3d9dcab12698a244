import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParseError } from "../../errors.ts";
import { Request } from "../request.ts";
import { authorization } from "./authorization.ts";
import { proxyAuthenticate } from "./proxy-authenticate.ts";
import { proxyAuthorization } from "./proxy-authorization.ts";
import { wwwAuthenticate } from "./www-authenticate.ts";

const TEXT =
  'Digest username="Alice \\"A\\"", realm="atlanta.com" ,NONCE=84a4cc6f, uri="sip:bob@b,c",  response = "7587245234b3434c" , qop=auth, nc=00000001';

describe("credentials and challenges, RFC 3261 §20.7", () => {
  it("are a scheme and parameters by lower-case name, without quotes", () => {
    const { scheme, params } = authorization.parse(TEXT);
    expect(scheme).toBe("Digest");
    expect([...params]).toEqual([
      ["username", 'Alice "A"'],
      ["realm", "atlanta.com"],
      ["nonce", "84a4cc6f"],
      ["uri", "sip:bob@b,c"],
      ["response", "7587245234b3434c"],
      ["qop", "auth"],
      ["nc", "00000001"],
    ]);
    expect(params.size).toBe(7);
    expect(params.get("nonce")).toBe("84a4cc6f");
    expect(params.has("username")).toBe(true);
    expect(params.get("user")).toBeUndefined();
    expect(params.has("usernamex")).toBe(false);
    expect([...params.keys()]).toHaveLength(7);
    expect([...params.values()]).toContain("auth");
    expect(new Map(params.entries()).get("qop")).toBe("auth");
    const seen: string[] = [];
    params.forEach((value, name, map) => {
      seen.push(`${name}=${value}`);
      expect(map).toBe(params);
    });
    expect(seen).toContain("qop=auth");
  });

  it("have no name that an object has", () => {
    const { params } = authorization.parse('Digest __proto__="x"');
    expect(params.get("__proto__")).toBe("x");
    expect(params.has("constructor")).toBe(false);
    expect(params.get("toString")).toBeUndefined();
  });

  it("may be one token, or nothing, after the scheme", () => {
    expect(authorization.parse("Bearer abc.def-_~+/==")).toMatchObject({ scheme: "Bearer" });
    expect(authorization.parse("Bearer abc.def==").params.get("")).toBe("abc.def==");
    expect(authorization.parse("Negotiate").params.size).toBe(0);
    expect(authorization.format(authorization.parse("Bearer abc=="))).toBe("Bearer abc==");
    expect(
      authorization.parse("NoOneKnowsThisScheme opaque-data=here").params.get("opaque-data"),
    ).toBe("here");
  });

  it.each([
    ["a parameter twice", 'Digest realm="a", Realm="b"'],
    ["two with one token", "Digest a=1, b=2, a=3"],
    ["a name without value", "Digest realm"],
    ["an empty value", "Digest realm=, nonce=x"],
    ["an open quote", 'Digest realm="a'],
    ["no comma", 'Digest realm="a" nonce="b"'],
    ["no scheme", '="a"'],
    ["nothing", ""],
    ["a scheme that runs into something else", "Digest,realm=a"],
    ["a name that is no token", "Digest (=a, b=c"],
    ["too many", `Digest ${Array.from({ length: 65 }, (_, i) => `p${i}=1`).join(",")}`],
  ])("are refused with %s", (what, text) => {
    if (what === "a name without value")
      expect(authorization.parse(text).params.get("")).toBe("realm");
    else {
      expect(() => authorization.parse(text)).toThrow(ParseError);
      expect(() => authorization.parse(text)).toThrow(
        expect.objectContaining({ status: 400, header: "Authorization" }),
      );
    }
  });

  it("are named for their own header", () => {
    expect(
      [wwwAuthenticate, proxyAuthenticate, proxyAuthorization].map(({ name }) => name),
    ).toEqual(["WWW-Authenticate", "Proxy-Authenticate", "Proxy-Authorization"]);
    expect(() => wwwAuthenticate.parse("")).toThrow(
      expect.objectContaining({ header: "WWW-Authenticate" }),
    );
  });

  it("are written with quotes but for what is a token by its grammar", () => {
    const params = new Map([
      ["realm", "a"],
      ["qop", "auth"],
      ["nc", "00000001"],
      ["algorithm", "MD5"],
      ["stale", "true"],
      ["username", 'x"\\y'],
    ]);
    expect(authorization.format({ scheme: "Digest", params })).toBe(
      'Digest realm="a", qop=auth, nc=00000001, algorithm=MD5, stale=true, username="x\\"\\\\y"',
    );
    const offered = new Map([["qop", "auth,auth-int"]]);
    expect(wwwAuthenticate.format({ scheme: "Digest", params: offered })).toBe(
      'Digest qop="auth,auth-int"',
    );
    expect(() =>
      wwwAuthenticate.format({ scheme: "Digest", params: new Map([["a b", "x"]]) }),
    ).toThrow(expect.objectContaining({ code: "SIP_BAD_HEADER" }));
  });

  it("are undone by format", () => {
    const name = fc.stringMatching(/^[a-z0-9.~-]{1,10}$/);
    const value = fc
      .string({ unit: "grapheme", minLength: 0, maxLength: 12 })
      .filter((text) => !/[\r\n\0]/.test(text));
    const params = fc.uniqueArray(fc.tuple(name, value), {
      selector: ([each]) => each,
      minLength: 1,
    });
    fc.assert(
      fc.property(params, (given) => {
        const parsed = authorization.parse(
          authorization.format({ scheme: "Digest", params: new Map(given) }),
        );
        expect([...parsed.params]).toEqual(given);
        for (const [each, expected] of given) expect(parsed.params.get(each)).toBe(expected);
      }),
    );
  });
});

describe("one parameter of credentials", () => {
  const request = (line: string): Request =>
    Request.parse(
      `REGISTER sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nf: <sip:a@b>\r\nt: <sip:a@b>\r\ni: 1\r\nCSeq: 1 REGISTER\r\nAuthorization: ${line}\r\n\r\n`,
    );

  it("is what the whole has", () => {
    const { headers } = request(TEXT);
    for (const name of ["username", "realm", "nonce", "uri", "response", "qop", "nc", "opaque"]) {
      expect(headers.param(authorization, name)).toBe(authorization.parse(TEXT).params.get(name));
    }
    expect(headers.param(proxyAuthorization, "username")).toBeUndefined();
    headers.read(authorization);
    expect(headers.param(authorization, "realm")).toBe("atlanta.com");
  });

  it("is not looked for behind what is malformed", () => {
    expect(request('Digest realm="a", =, username="x"').headers.param(authorization, "realm")).toBe(
      "a",
    );
    expect(
      request('Digest realm="a", =, username="x"').headers.param(authorization, "username"),
    ).toBeUndefined();
    expect(request('Digest realm="a').headers.param(authorization, "username")).toBeUndefined();
    expect(
      request('Digest realm="a" username="x"').headers.param(authorization, "username"),
    ).toBeUndefined();
    expect(request("Digest realm=").headers.param(authorization, "username")).toBeUndefined();
  });

  it("isn't misled by what is in another's quotes", () => {
    const { headers } = request('Digest realm="x, username=\\"eve\\"", cnonce="no", nonce="yes"');
    expect(headers.param(authorization, "username")).toBeUndefined();
    expect(headers.param(authorization, "nonce")).toBe("yes");
  });
});
