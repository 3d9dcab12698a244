import { readFileSync } from "node:fs";
import { ParseError, parsePacket, type Request, type Response } from "@sipkit/core";
import { describe, expect, it } from "vitest";

interface Vector {
  readonly name: string;
  readonly file: string;
  readonly section: string;
  readonly title: string;
  readonly scored: boolean;
  readonly kind: "request" | "response";
  /** Whether RFC 4475 has a parser take the message. */
  readonly parser: "accept" | "reject" | "either";
  /** What every role may answer; a role's own answers are beside it. */
  readonly expect: { readonly any?: readonly (number | string)[] };
}

const DIRECTORY = new URL("../vectors/rfc4475/", import.meta.url);
const { messages } = JSON.parse(readFileSync(new URL("index.json", DIRECTORY), "utf8")) as {
  readonly messages: readonly Vector[];
};

function bytesOf({ file }: Vector): Buffer {
  return readFileSync(new URL(file, DIRECTORY));
}

/** What `parsePacket` makes of a message: the packet, or its `ParseError`. Anything else is thrown. */
function outcomeOf(vector: Vector): Request | Response | ParseError {
  try {
    return parsePacket(bytesOf(vector));
  } catch (error) {
    if (error instanceof ParseError) return error;
    throw error;
  }
}

/** The message without what follows its body: what one datagram says. */
function cut(vector: Vector, packet: Request | Response): Buffer {
  const bytes = bytesOf(vector);
  const head = bytes.indexOf("\r\n\r\n") + 4;
  return bytes.subarray(0, head + packet.body.length);
}

const titled = messages.map((vector): [string, Vector] => [
  `${vector.section ?? "no section"} ${vector.name}: ${vector.title ?? "in the archive alone"}`,
  vector,
]);

describe("every message of RFC 4475", () => {
  it("is here", () => {
    expect(messages.filter(({ scored }) => scored)).toHaveLength(49);
  });

  it.each(titled)("%s parses, or is refused with a status that its sender is owed", (_, vector) => {
    const outcome = outcomeOf(vector);
    if (vector.parser === "accept") expect(outcome).not.toBeInstanceOf(ParseError);
    if (vector.parser === "reject") expect(outcome).toBeInstanceOf(ParseError);
    if (!(outcome instanceof ParseError)) return;
    const owed = (vector.expect.any ?? []).filter((each) => typeof each === "number");
    expect(owed.length === 0 ? [400] : owed).toContain(outcome.status);
  });

  it.each(titled)("%s is sent again byte for byte", (_, vector) => {
    const outcome = outcomeOf(vector);
    if (outcome instanceof ParseError) return;
    expect(Buffer.from(outcome.toBytes())).toEqual(cut(vector, outcome));
    const copy = outcome.clone();
    copy.headers.prepend("X-First", "1");
    copy.headers.delete("X-First");
    if (!copy.headers.has("content-length")) return;
    expect(Buffer.from(copy.toBytes())).toEqual(cut(vector, outcome));
  });

  it.each(titled)("%s is answered with its own Via, From, Call-ID and CSeq", (_, vector) => {
    const outcome = outcomeOf(vector);
    if (outcome instanceof ParseError || !outcome.isRequest) return;
    const response = parsePacket(outcome.createResponse(200).toBytes());
    for (const name of ["via", "from", "call-id", "cseq"]) {
      expect(response.headers.getAll(name)).toEqual(outcome.headers.getAll(name));
    }
    expect(response.toTag).toBeDefined();
  });
});

describe("what RFC 4475 points at", () => {
  const read = (name: string): Request | Response => {
    const vector = messages.find((each) => each.name === name);
    if (vector === undefined) throw new Error(`there is no ${name}`);
    const outcome = outcomeOf(vector);
    if (outcome instanceof ParseError) throw outcome;
    return outcome;
  };

  it("§3.1.1.1: reads through folding, odd spacing and escaped quotes", () => {
    const packet = read("wsinv");
    expect(packet.fromTag).toBe("98asjd8");
    expect(packet.toTag).toBe("1918181833n");
    expect(packet.from.displayName).toBe('J Rosenberg \\"');
    expect(packet.cseq).toEqual({ number: 9, method: "INVITE" });
    expect(packet.headers.getAll("via")).toHaveLength(3);
    expect(packet.topmostVia).toMatchObject({ transport: "UDP", host: "192.0.2.2" });
    expect(packet.branch).toBe("390skdjuw");
    expect(packet.headers.get("newfangledheader")).toBe(
      "newfangled value continued newfangled value",
    );
    expect(packet.headers.get("unknownheaderwithunusualvalue")).toBe(";;,,;;,;");
  });

  it("§3.1.1.2: takes every character that the grammar has", () => {
    const packet = read("intmeth");
    expect(packet.method).toBe("!interesting-Method0123456789_*+`.%indeed'~");
    expect(packet.to.displayName).toBe("BEL:\x07 NUL:\0 DEL:\x7f");
    expect(packet.from.params.get("fromParam''~+*_!.-%")).toBe("работающий");
    expect(packet.headers.get("extensionHeader-!.%*+_`'~")).toBe("\ufeff大停電");
  });

  it("§3.1.1.5: leaves a percent sign alone where it is no escape", () => {
    const packet = read("esc02");
    expect(packet.method).toBe("RE%47IST%45R");
    expect(packet.headers.getAll("contact")).toHaveLength(2);
  });

  it("§3.1.1.8: cuts what follows the body", () => {
    expect(read("dblreq")).toMatchObject({ method: "REGISTER" });
    expect(read("dblreq").body).toHaveLength(0);
  });

  it("§3.1.1.12 and §3.1.1.13: decodes a reason phrase, and does without one", () => {
    expect(read("unreason")).toMatchObject({
      status: 200,
      reason: "= 2**3 * 5**2 но сто девяносто девять - простое",
    });
    expect(read("noreason")).toMatchObject({ status: 100, reason: "" });
  });

  it("§3.1.2.7: gives a request-URI in brackets without them", () => {
    const packet = read("ltgtruri");
    expect(packet.isRequest && packet.uri).toBe("sip:user@example.com");
  });

  it("§3.3.2: has no opinion on a scheme that nobody knows", () => {
    const packet = read("unkscm");
    expect(packet.isRequest && packet.uri).toBe("nobodyKnowsThisScheme:totallyopaquecontent");
  });
});
