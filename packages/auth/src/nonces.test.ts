import type { Random } from "@sipkit/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NonceOptions, Nonces } from "./nonces.ts";

/** The same "chance" for every server that is given it: what differs must come from elsewhere. */
function counting(): Random {
  let count = 0;
  return {
    bytes: (size) => Uint8Array.from({ length: size }, () => count++ & 0xff),
    token: () => `token${count++}`,
  };
}

const server = (options: Partial<NonceOptions> = {}): Nonces =>
  new Nonces({
    secrets: ["a secret"],
    realm: "example.com",
    node: "node",
    epoch: "epoch",
    random: counting(),
    ...options,
  });

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

describe("nonces", () => {
  it("are known again, with their time", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2 ** 47, noNaN: true }), (now) => {
        const nonces = server();
        expect(nonces.read(nonces.make(now))).toMatchObject({ own: true, madeAt: Math.floor(now) });
      }),
    );
  });

  it("are 48 characters of base64url", () => {
    expect(server().make(123_456.7)).toMatch(/^[A-Za-z0-9_-]{48}$/);
  });

  it("differ from one another, in their serial too, beyond one draw of chance", () => {
    const nonces = server({ random: { ...counting(), bytes: seeded() } });
    const made = Array.from({ length: 1000 }, () => nonces.make(0));
    expect(new Set(made).size).toBe(1000);
    expect(new Set(made.map((nonce) => nonces.read(nonce)?.serial)).size).toBe(1000);
  });

  it("are refused when any character is changed", () => {
    const nonces = server();
    const nonce = nonces.make(1000);
    fc.assert(
      fc.property(fc.nat(nonce.length - 1), fc.constantFrom(...alphabet), (at, character) => {
        fc.pre(nonce[at] !== character);
        expect(nonces.read(nonce.slice(0, at) + character + nonce.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 1000 },
    );
  });

  it("are refused in another spelling of the same bytes", () => {
    const nonces = server();
    let respelled = 0;
    for (let i = 0; i < 100; i++) {
      const nonce = nonces.make(i);
      const plain = nonce.replaceAll("-", "+").replaceAll("_", "/");
      if (plain !== nonce) {
        respelled++;
        expect(Buffer.from(plain, "base64")).toEqual(Buffer.from(nonce, "base64url"));
        expect(nonces.read(plain)).toBeUndefined();
      }
      expect(nonces.read(`${nonce}=`)).toBeUndefined();
      expect(nonces.read(`${nonce} `)).toBeUndefined();
      expect(nonces.read(`${nonce}\n`)).toBeUndefined();
    }
    expect(respelled).toBeGreaterThan(10);
  });

  it("are refused with a character whose low byte is the right one", () => {
    const nonces = server();
    const nonce = nonces.make(0);
    const wide = String.fromCharCode(nonce.charCodeAt(0) + 0x100) + nonce.slice(1);
    expect(nonces.read(wide)).toBeUndefined();
  });

  it("are refused when they are anything else", () => {
    const nonces = server();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ minLength: 48, maxLength: 48 })), (text) => {
        expect(nonces.read(text)).toBeUndefined();
      }),
    );
    expect(nonces.read("A".repeat(20_000))).toBeUndefined();
  });

  it("are of a realm and of a secret", () => {
    const nonce = server().make(0);
    expect(server().read(nonce)).toBeDefined();
    expect(server({ realm: "example.org" }).read(nonce)).toBeUndefined();
    expect(server({ secrets: ["another"] }).read(nonce)).toBeUndefined();
    // Realm and secret don't run into one another.
    expect(server({ realm: "example.co", secrets: ["m\0a secret"] }).read(nonce)).toBeUndefined();
  });

  it("of a secret that was the first one before are known, but not as own", () => {
    const old = server({ secrets: ["old"] });
    const next = server({ secrets: ["new", "old"] });
    expect(next.read(old.make(7))).toMatchObject({ own: false, madeAt: 7 });
    expect(old.read(next.make(7))).toBeUndefined();
    expect(server({ secrets: ["old", "new"] }).read(next.make(7))?.own).toBe(false);
    expect(next.read(next.make(7))?.own).toBe(true);
    expect(server({ secrets: ["new"] }).read(old.make(7))).toBeUndefined();
  });

  it("of another node, life or server in this process are known, but not as own", () => {
    const nonce = server().make(0);
    expect(server().read(nonce)?.own).toBe(true);
    expect(server({ node: "other" }).read(nonce)?.own).toBe(false);
    expect(server({ epoch: "other" }).read(nonce)?.own).toBe(false);
    expect(server({ random: { ...counting(), token: () => "other" } }).read(nonce)?.own).toBe(
      false,
    );
  });
});

function seeded(): (size: number) => Uint8Array {
  let state = 1;
  return (size) =>
    Uint8Array.from({ length: size }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
}
