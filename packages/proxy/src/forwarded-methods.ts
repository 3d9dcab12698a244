import type { Method } from "@sipkit/core";

/** What a proxy adds to Allow: the methods that it forwards when they are for a user of ours. */
export const forwardedMethods: readonly Method[] = [
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "INFO",
  "MESSAGE",
  "NOTIFY",
  "OPTIONS",
  "PRACK",
  "PUBLISH",
  "REFER",
  "SUBSCRIBE",
  "UPDATE",
];
