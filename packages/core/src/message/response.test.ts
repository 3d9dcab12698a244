import { describe, expect, it } from "vitest";
import { Request } from "./request.ts";
import { Response, setResponseRequest } from "./response.ts";

const TEXT = [
  "SIP/2.0 183 Call  Progress",
  "Via: SIP/2.0/UDP us;branch=z9hG4bK1, SIP/2.0/UDP them;branch=z9hG4bK2",
  "From: <sip:a@b>;tag=1",
  "To: <sip:b@c>;tag=2",
  "Call-ID: 1",
  "CSeq: 7 INVITE",
  "Content-Length: 2",
  "",
  "ab",
].join("\r\n");

describe("Response", () => {
  it("is made from a status, with the phrase that goes with it", () => {
    expect(new Response(404).toWire()).toBe("SIP/2.0 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    expect(new Response(499, { reason: "ё", body: "x" }).toBytes()).toEqual(
      new Uint8Array(Buffer.from("SIP/2.0 499 ё\r\nContent-Length: 1\r\n\r\nx", "utf8")),
    );
  });

  it.each([99, 700, 200.5, Number.NaN, -1])("refuses the status %d", (status) => {
    expect(() => new Response(status)).toThrow(expect.objectContaining({ code: "SIP_BAD_STATUS" }));
  });

  it.each(["a\r\nb", "a\nb", "a\0b"])("refuses the reason %j", (reason) => {
    const refused = expect.objectContaining({ code: "SIP_BAD_HEADER" });
    expect(() => new Response(200, { reason })).toThrow(refused);
    const response = Response.parse(TEXT);
    expect(() => {
      response.reason = reason;
    }).toThrow(refused);
  });

  it("is sent on byte for byte without the Via that is taken off", () => {
    const response = Response.parse(TEXT);
    expect(response.headers.shift("via")).toBe("SIP/2.0/UDP us;branch=z9hG4bK1");
    expect(response.toWire()).toBe(TEXT.replace("SIP/2.0/UDP us;branch=z9hG4bK1, ", ""));
  });

  it("has a new status bring its own phrase", () => {
    const response = Response.parse(TEXT);
    expect(response.reason).toBe("Call  Progress");
    response.status = 500;
    expect(response.toWire()).toBe(TEXT.replace("183 Call  Progress", "500 Server Internal Error"));
    response.reason = "No";
    expect(response.toWire()).toBe(TEXT.replace("183 Call  Progress", "500 No"));
  });

  it("has the method of its CSeq", () => {
    expect(Response.parse(TEXT).method).toBe("INVITE");
  });

  it("is cloned with reason, request and body", () => {
    const request = new Request("INVITE", "sip:b");
    const response = Response.parse(TEXT);
    setResponseRequest(response, request);
    const clone = response.clone();
    expect(clone.request).toBe(request);
    clone.status = 200;
    clone.headers.delete("via");
    expect(response.toWire()).toBe(TEXT);
    response.body = Uint8Array.of(120);
    response.reason = "x";
    const second = response.clone();
    expect(second.toWire()).toBe(response.toWire());
    setResponseRequest(response, undefined);
    expect(response.request).toBeUndefined();
  });
});
