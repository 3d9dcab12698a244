import { describe, expect, it } from "vitest";
import { ContactTokens } from "./contact-tokens.ts";

const ALICE = { addressOfRecord: "sip:alice@example.com", mark: "abcdefghijkl" };

describe("ContactTokens", () => {
  const tokens = new ContactTokens(["secret"]);

  it("seals the same owner into the same token, and opens it", () => {
    const token = tokens.seal(ALICE);
    expect(token).toBe(tokens.seal(ALICE));
    expect(token).toMatch(/^mid\.[A-Za-z0-9_-]+$/);
    expect(tokens.open(token)).toEqual(ALICE);
  });

  it("tells users, their bindings and all of them apart", () => {
    const all = { ...ALICE, mark: undefined };
    expect(tokens.open(tokens.seal(all))).toEqual(all);
    const odd = { addressOfRecord: "sip:a\nb@ü@example.com", mark: undefined };
    expect(tokens.open(tokens.seal(odd))).toEqual(odd);
    const every = [ALICE, all, { ...ALICE, mark: "other" }].map((owner) => tokens.seal(owner));
    expect(new Set(every).size).toBe(3);
  });

  it("opens nothing that was changed, cut, or made under another secret", () => {
    const token = tokens.seal(ALICE);
    for (let at = "mid.".length; at < token.length - 1; at += 1) {
      const other = token[at] === "A" ? "B" : "A";
      expect(tokens.open(token.slice(0, at) + other + token.slice(at + 1))).toBeUndefined();
    }
    for (const text of ["", "mid.", "mid.AAAA", "alice", token.slice(4), token.slice(0, -4)]) {
      expect(tokens.open(text)).toBeUndefined();
    }
    expect(tokens.open(new ContactTokens(["another"]).seal(ALICE))).toBeUndefined();
  });

  it("knows those of earlier secrets again", () => {
    const rotated = new ContactTokens(["new", "secret"]);
    expect(rotated.open(tokens.seal(ALICE))).toEqual(ALICE);
    expect(rotated.seal(ALICE)).not.toBe(tokens.seal(ALICE));
  });

  it("doesn't look at what is longer than 1,024 characters", () => {
    const owner = { ...ALICE, addressOfRecord: `sip:${"a".repeat(800)}@example.com` };
    expect(tokens.open(tokens.seal(owner))).toBeUndefined();
  });
});
