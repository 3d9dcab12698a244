import type { Target } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { type Destination, targetGroups } from "./target-set.ts";

const server = { count: (): void => {} };

function way(uri: string, more: Partial<Target> = {}): Target {
  return { uri, q: 1, route: [], expiresAt: 1000, instance: "urn:uuid:1", ...more };
}

/** The ways to each device of a group, in the order in which they are tried. */
function tried(targets: readonly Target[]): readonly (readonly string[])[] {
  const [group = []] = targetGroups(targets, "parallel", 10, server);
  return group.map((first) => {
    const uris: string[] = [];
    for (let next: Destination | undefined = first; next; next = next.otherwise)
      uris.push(next.uri);
    return uris;
  });
}

describe("targetGroups", () => {
  it("tries the ways to a device as whoever found them gives them, whichever lasts longest", () => {
    const refreshedLast = way("sip:bob@192.0.2.2", { expiresAt: 2000 });
    const before = way("sip:bob@192.0.2.1", { expiresAt: 9000 });
    expect(tried([refreshedLast, before])).toEqual([[refreshedLast.uri, before.uri]]);
  });

  it("tries the way with the highest q first", () => {
    const worse = way("sip:bob@192.0.2.2", { q: 0.5 });
    const better = way("sip:bob@192.0.2.1");
    expect(tried([worse, better])).toEqual([[better.uri, worse.uri]]);
  });

  it("has a branch for each device", () => {
    const other = way("sip:bob@192.0.2.3", { instance: "urn:uuid:2" });
    expect(tried([way("sip:bob@192.0.2.1"), other])).toEqual([["sip:bob@192.0.2.1"], [other.uri]]);
  });
});
