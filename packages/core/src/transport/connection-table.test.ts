import { describe, expect, it } from "vitest";
import type { Peer } from "../arrival.ts";
import { type ConnectionOwner, StreamConnection } from "./connection.ts";
import { ConnectionTable } from "./connection-table.ts";
import { streamLimits } from "./stream-limits.ts";

const owner: ConnectionOwner = {
  protocol: "tls",
  limits: streamLimits(),
  counted: {} as ConnectionOwner["counted"],
  now: () => 0,
  message() {},
  malformed() {},
  failed() {},
  ended() {},
  gone() {},
  dirty() {},
  trace() {},
};

/** A connection that leads nowhere, to one address and port. */
function connection(id: number, domain?: string, proven?: readonly string[]): StreamConnection {
  const made = new StreamConnection(
    owner,
    () => ({
      partial: false,
      waiting: 0,
      send() {},
      flush() {},
      stop() {},
      end() {},
      destroy() {},
    }),
    { id, address: "192.0.2.1", port: 5061, accepted: false, domain },
  );
  if (proven !== undefined) made.ready({ authorized: true, identities: proven });
  return made;
}

function to(domain?: string): Peer {
  const peer: Peer = { protocol: "tls", address: "192.0.2.1", port: 5061 };
  return domain === undefined ? peer : { ...peer, domain };
}

describe("the connection to a domain, RFC 5922 §7.3", () => {
  it("is the one that was opened for it, however many lead to its address and port", () => {
    const table = new ConnectionTable(true);
    const [a, b] = [connection(1, "a.example.com"), connection(2, "b.example.com")];
    table.add(a);
    table.add(b);
    expect(table.to(to("a.example.com"))).toBe(a);
    expect(table.to(to("b.example.com"))).toBe(b);
    expect(table.to(to("c.example.com"))).toBeUndefined();
    expect(table.to(to())).toBe(a);
  });

  it("is any that has proved it", () => {
    const table = new ConnectionTable(true);
    const shared = connection(1, "a.example.com", ["a.example.com", "b.example.com"]);
    table.add(shared);
    expect(table.to(to("b.example.com"))).toBe(shared);
    expect(table.to(to("c.example.com"))).toBeUndefined();
    expect(table.to(to("example.com"))).toBeUndefined();
  });

  it("is not one that has ended", () => {
    const table = new ConnectionTable(true);
    const [first, second] = [connection(1, "a.example.com"), connection(2, "a.example.com")];
    table.add(first);
    table.add(second);
    table.end(first);
    expect(table.to(to("a.example.com"))).toBe(second);
    table.end(second);
    expect(table.to(to("a.example.com"))).toBeUndefined();
    expect(table.size).toBe(2);
    table.remove(first);
    table.remove(second);
    expect(table.size).toBe(0);
  });

  it("is any with that address and port where connections prove nothing", () => {
    const table = new ConnectionTable(false);
    const a = connection(1, "a.example.com");
    table.add(a);
    expect(table.to(to("b.example.com"))).toBe(a);
  });
});
