import { expect, it } from "vitest";
import { ConnectionQuota } from "./connection-quota.ts";

it("bounds the connections with one host, and those with all", () => {
  const quota = new ConnectionQuota({ maxConnections: 3, maxConnectionsPerAddress: 2 });
  expect(quota.take("192.0.2.1")).toBe(true);
  expect(quota.take("192.0.2.1")).toBe(true);
  expect(quota.take("192.0.2.1")).toBe(false);
  expect(quota.take("2001:db8::1")).toBe(true);
  expect(quota.take("192.0.2.2")).toBe(false);
  expect(quota.taken).toBe(3);
  quota.free("192.0.2.1");
  expect(quota.take("192.0.2.1")).toBe(true);
  quota.free("2001:db8::1");
  quota.free("192.0.2.1");
  quota.free("192.0.2.1");
  expect(quota.taken).toBe(0);
});
