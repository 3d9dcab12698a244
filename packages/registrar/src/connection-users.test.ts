import { describe, expect, it } from "vitest";
import { ConnectionUsers } from "./connection-users.ts";

describe("ConnectionUsers", () => {
  it("knows whose bindings a connection has, until the last of each is gone", () => {
    const users = new ConnectionUsers();
    users.add(1, "alice");
    users.add(1, "alice");
    users.add(1, "bob");
    users.add(2, "carol");
    users.delete(1, "alice");
    users.delete(1, "nobody");
    users.delete(3, "carol");
    expect([...users.take(1)].toSorted()).toEqual(["alice", "bob"]);
    expect(users.take(1)).toEqual([]);
    users.delete(2, "carol");
    expect(users.size).toBe(0);
  });

  it("keeps nothing of what comes and goes", () => {
    const users = new ConnectionUsers();
    for (let turn = 0; turn < 100; turn += 1) {
      const [user, other] = [`${turn % 7}`, `${turn % 5}`];
      users.add(1, user);
      users.add(1, other);
      users.delete(1, user);
      users.delete(1, other);
    }
    expect(users.size).toBe(0);
  });
});
