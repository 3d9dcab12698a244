import { describe, expect, it } from "vitest";
import { answerStun } from "./stun.ts";

const TRANSACTION = "b7e7a701bc34d686fa87dfae";
const REQUEST = `000100002112a442${TRANSACTION}`;

/** RFC 5769 §2.1, with its fingerprint; its PRIORITY is ICE's, which nobody here understands. */
const WITH_FINGERPRINT = [
  "000100582112a442b7e7a701bc34d686fa87dfae",
  "802200105354554e207465737420636c69656e74",
  "002400046e0001ff",
  "80290008932ff9b151263b36",
  "000600096576746a3a68367659202020",
  "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2",
  "80280004e57a3bcf",
].join("");

function ask(hex: string, address = "192.0.2.1"): string | undefined {
  const answer = answerStun(Buffer.from(hex, "hex"), { address, port: 32_853 });
  return typeof answer === "object" ? Buffer.from(answer).toString("hex") : answer;
}

describe("a STUN message on a SIP port", () => {
  it("that is a Binding request is told where it came from, as in RFC 5769 §2.2", () => {
    expect(ask(REQUEST)).toBe(`0101000c2112a442${TRANSACTION}002000080001a147e112a643`);
  });

  it("is answered over IPv6, as in RFC 5769 §2.3", () => {
    const attribute = "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9";
    expect(ask(REQUEST, "2001:db8:1234:5678:11:2233:4455:6677")).toBe(
      `010100182112a442${TRANSACTION}${attribute}`,
    );
  });

  it.each([
    ["::1", "00000000000000000000000000000001"],
    ["fe80::1%eth0", "fe800000000000000000000000000001"],
    ["2001:db8::", "20010db8000000000000000000000000"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
  ])("tells the address %s", (address, bytes) => {
    const xored = Buffer.from(ask(REQUEST, address)?.slice(-32) ?? "", "hex");
    const key = Buffer.from(`2112a442${TRANSACTION}`, "hex");
    expect(Buffer.from(xored.map((byte, at) => byte ^ (key[at] ?? 0))).toString("hex")).toBe(bytes);
  });

  it("has what must be understood and isn't named in a 420", () => {
    const request = `000100082112a442${TRANSACTION}0003000400000006`;
    expect(ask(request)).toBe(`011100102112a442${TRANSACTION}0009000400000414000a000200030000`);
  });

  it("gets a fingerprint back when it has a right one", () => {
    const answer = ask(WITH_FINGERPRINT) ?? "";
    expect(answer.slice(0, 40)).toBe(`011100182112a442${TRANSACTION}`);
    expect(answer.slice(40, -16)).toBe("0009000400000414000a000200240000");
    expect(answer.slice(-16, -8)).toBe("80280004");
  });

  it("never makes the server send twice as much as it got over IPv4", () => {
    const attributes = Array.from({ length: 200 }, (_, at) => (at + 0x100).toString(16));
    const request = attributes.map((type) => `${type.padStart(4, "0")}0000`).join("");
    for (const many of [0, 1, 2, 8, 200]) {
      const body = request.slice(0, many * 8);
      const length = (body.length / 2).toString(16).padStart(4, "0");
      const hex = `0001${length}2112a442${TRANSACTION}${body}`;
      expect(ask(hex)?.length).toBeLessThan(2 * hex.length);
    }
  });

  it("that is an indication is owed nothing", () => {
    expect(ask(`001100002112a442${TRANSACTION}`)).toBe("nothing");
  });

  it.each([
    ["shorter than a header", REQUEST.slice(0, 38)],
    ["without the cookie", `000100002112a443${TRANSACTION}`],
    ["with more length than bytes", `000100042112a442${TRANSACTION}`],
    ["with more bytes than length", `${REQUEST}00000000`],
    ["with half an attribute header", `000100022112a442${TRANSACTION}8022`],
    ["with an attribute that is cut off", `000100082112a442${TRANSACTION}8022000800000000`],
    ["with a wrong fingerprint", WITH_FINGERPRINT.replace(/cf$/, "ce")],
    ["that is a response", `0101000c2112a442${TRANSACTION}002000080001a147e112a643`],
    ["of another method", `000300002112a442${TRANSACTION}`],
  ])("%s isn't answered", (_, hex) => {
    expect(ask(hex)).toBeUndefined();
  });
});
