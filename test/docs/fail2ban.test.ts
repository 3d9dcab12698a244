import { type AuthFailure, failureLine } from "@sipkit/auth";
import { describe, expect, it } from "vitest";
import { blocks } from "./pages.ts";

/** The filter of the page as a regular expression: fail2ban's word for an address is `<ADDR>`, and `%%` is a percent sign. */
function filter(): RegExp {
  const [block = ""] = blocks("docs/abuse.md", "ini").filter((text) => text.includes("failregex"));
  const [, written = ""] = /^failregex = (.*)$/m.exec(block) ?? [];
  const address = String.raw`(?<address>(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]+)`;
  return new RegExp(written.replaceAll("%%", "%").replace("<ADDR>", address));
}

const failure: AuthFailure = {
  at: 1_780_000_000_000,
  reason: "credentials",
  address: "192.0.2.7",
  port: 5060,
  protocol: "udp",
  method: "REGISTER",
  user: "alice",
  bannedFor: 0,
  lockedFor: 0,
};

/** What fail2ban sees: the line without its time, which it takes out. */
function seen(changed: Partial<AuthFailure>): string {
  return failureLine({ ...failure, ...changed }).replace(/^\S+Z/, "");
}

describe("the filter for fail2ban in docs/abuse.md", () => {
  it.each<[string, Partial<AuthFailure>]>([
    ["192.0.2.7", {}],
    ["2001:db8:0:7::1", { address: "2001:db8:0:7::1" }],
    ["192.0.2.7", { reason: "rate" }],
    ["192.0.2.7", { user: "" }],
    [
      "192.0.2.7",
      { user: "x\r\n sipkit auth failure from=198.51.100.1 user=y reason=rate method=" },
    ],
    ["192.0.2.7", { user: "bob from=198.51.100.1 <ADDR> é%0A" }],
  ])("finds %s in the line of %o", (address, changed) => {
    expect(filter().exec(seen(changed))?.groups?.address).toBe(address);
    // Of syslog's time fail2ban takes that one out, and leaves ours.
    const logged = ` gw1 node[17]: ${failureLine({ ...failure, ...changed })}`;
    expect(filter().exec(logged)?.groups?.address).toBe(address);
  });

  it("finds nothing in a line that only quotes one", () => {
    expect(filter().test(` a b INVITE from bob:${seen({})}`)).toBe(false);
  });
});
