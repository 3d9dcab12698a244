import { networkInterfaces } from "node:os";

/** Whether this machine has ::1. */
export const hasIPv6: boolean = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);
