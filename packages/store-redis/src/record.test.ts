import { sampleBinding } from "@sipkit/registrar/testing";
import { describe, expect, it } from "vitest";
import { decodeRecord, encodeRecord } from "./record.ts";

describe("decodeRecord", () => {
  it("reads what encodeRecord writes", () => {
    const record = { version: "a.1", due: 5, bindings: [sampleBinding(1), sampleBinding("é")] };
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
    const left = { version: "a.2", due: undefined, bindings: [] };
    expect(decodeRecord(encodeRecord(left))).toEqual(left);
  });

  it("keeps members of bindings that it doesn't know", () => {
    const bindings = [{ ...sampleBinding(1), invented: { later: [1, "two"] } }];
    const text = encodeRecord({ version: "a.1", due: 5, bindings });
    expect(decodeRecord(text).bindings).toEqual(bindings);
  });

  it.each(["a.1", "a.1\n", 'a.1\n{"format":2}', "a.1\n[5]", "a.1\n[5,[],2]", "a.1\n[5,{}]", "x"])(
    "leaves alone what a later version, or somebody else, has written: %j",
    (text) => {
      expect(() => decodeRecord(text)).toThrow(expect.objectContaining({ code: "SIP_BAD_STORE" }));
    },
  );
});
