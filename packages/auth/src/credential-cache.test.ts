import { Reject } from "@sipkit/core";
import { VirtualClock } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { cached } from "./credential-cache.ts";
import type { Credential, CredentialsFunction } from "./credentials.ts";

/** A directory that is asked through a cache; its answers come when the test says so, or at once. */
class Directory {
  readonly clock = new VirtualClock();
  readonly asked: string[] = [];
  readonly users = new Map<string, Credential>([["alice", "secret"]]);
  readonly waiting: (() => void)[] = [];
  fails: Error | undefined;

  /** Answers at once. */
  readonly near: CredentialsFunction = (user) => {
    this.asked.push(user);
    if (this.fails !== undefined) throw this.fails;
    return this.users.get(user);
  };

  /** Answers when the test lets it. */
  readonly far: CredentialsFunction = (user, realm) => {
    return new Promise((resolve, reject) => {
      this.asked.push(user);
      const { fails } = this;
      const found = this.users.get(user);
      void realm;
      this.waiting.push(() => (fails === undefined ? resolve(found) : reject(fails)));
    });
  };

  answer(): void {
    for (const answer of this.waiting.splice(0)) answer();
  }
}

describe("cached credentials", () => {
  it("are looked up once in their time, and then anew", async () => {
    const directory = new Directory();
    const { clock } = directory;
    const look = cached(directory.near, { ttl: 1000, clock });
    expect([look("alice", "r"), look("alice", "r")]).toEqual(["secret", "secret"]);
    await clock.advance(999);
    directory.users.set("alice", "changed");
    expect(look("alice", "r")).toBe("secret");
    await clock.advance(1);
    expect(look("alice", "r")).toBe("changed");
    expect(directory.asked).toEqual(["alice", "alice"]);
  });

  it("are of one realm", () => {
    const directory = new Directory();
    const look = cached((user, realm) => directory.near(user, realm) && `${realm} secret`);
    expect([look("alice", "a"), look("alice", "b")]).toEqual(["a secret", "b secret"]);
  });

  it("of nobody are kept for a time of their own", async () => {
    const directory = new Directory();
    const { clock } = directory;
    const look = cached(directory.near, { negativeTtl: 100, clock });
    expect(look("bob", "r")).toBeUndefined();
    directory.users.set("bob", "other");
    await clock.advance(99);
    expect(look("bob", "r")).toBeUndefined();
    await clock.advance(1);
    expect(look("bob", "r")).toBe("other");
  });

  it("are asked for once when many ask at once", async () => {
    const directory = new Directory();
    const look = cached(directory.far, { clock: directory.clock });
    const all = [look("alice", "r"), look("alice", "r"), look("bob", "r"), look("alice", "r")];
    expect(directory.asked).toEqual(["alice", "bob"]);
    directory.answer();
    expect(await Promise.all(all)).toEqual(["secret", "secret", undefined, "secret"]);
    expect(look("alice", "r")).toBe("secret");
  });

  it("don't keep an error: who asks next asks again", async () => {
    const directory = new Directory();
    directory.fails = new Error("down");
    const near = cached(directory.near, { clock: directory.clock });
    expect(() => near("alice", "r")).toThrow("down");
    const far = cached(directory.far, { clock: directory.clock });
    const both = Promise.allSettled([far("alice", "r"), far("alice", "r")]);
    directory.answer();
    expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    directory.fails = undefined;
    expect(near("alice", "r")).toBe("secret");
    const again = far("alice", "r");
    directory.answer();
    expect(await again).toBe("secret");
    directory.fails = new Reject(503);
    expect(near("alice", "r")).toBe("secret");
  });

  it("have a bound, and names that are nobody's push nobody out", () => {
    const directory = new Directory();
    for (const user of ["u1", "u2", "u3"]) directory.users.set(user, "x");
    const look = cached(directory.near, { max: 3, clock: directory.clock });
    for (const user of ["u1", "u2", "u3"]) look(user, "r");
    for (let i = 0; i < 100; i++) look(`nobody${i}`, "r");
    directory.asked.splice(0);
    for (const user of ["u1", "u2", "u3"]) look(user, "r");
    expect(directory.asked).toEqual([]);
    look("alice", "r");
    for (const user of ["u2", "u3", "u1"]) look(user, "r");
    expect(directory.asked).toEqual(["alice", "u1"]);
    directory.asked.splice(0);
    look("nobody99", "r");
    look("nobody1", "r");
    expect(directory.asked).toEqual(["nobody1"]);
  });

  it("are forgotten when that is asked for, also while they are looked up", async () => {
    const directory = new Directory();
    directory.users.set("bob", "other");
    const near = cached(directory.near, { clock: directory.clock });
    near("alice", "r");
    near("bob", "r");
    near.forget("alice");
    near("alice", "r");
    near("bob", "r");
    expect(directory.asked).toEqual(["alice", "bob", "alice"]);
    near.forget();
    near("bob", "r");
    expect(directory.asked).toHaveLength(4);

    const far = cached(directory.far, { clock: directory.clock });
    const before = far("alice", "r");
    far.forget("alice");
    directory.users.set("alice", "changed");
    const after = far("alice", "r");
    directory.answer();
    expect(await Promise.all([before, after])).toEqual(["secret", "changed"]);
    expect(far("alice", "r")).toBe("changed");
  });

  it("keep the names that hashes stand for, where they can be asked for", () => {
    const asked: string[] = [];
    const look: CredentialsFunction = Object.assign(() => "secret", {
      userOfHash: (userhash: string) => {
        asked.push(userhash);
        return userhash === "h1" ? "alice" : undefined;
      },
    });
    const names = cached(look).userOfHash;
    expect([names?.("h1", "r", "MD5"), names?.("h1", "r", "MD5")]).toEqual(["alice", "alice"]);
    expect(names?.("h1", "r", "SHA-256")).toBe("alice");
    expect(asked).toEqual(["h1", "h1"]);
    expect(cached(() => "secret").userOfHash).toBeUndefined();
  });

  it.each([{ ttl: 0 }, { negativeTtl: Number.NaN }, { max: 0 }])("refuse %o", (options) => {
    expect(() => cached(() => undefined, options)).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });
});
