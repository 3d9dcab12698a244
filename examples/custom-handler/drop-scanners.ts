import type { Receive } from "@sipkit/core";

const SCANNERS = /friendly-scanner|sipvicious|sipcli|pplsip|vaxsipuseragent/i;

/** Lets no answer go to the tools that look for open servers: an answer would tell them to go on. */
export const dropScanners: Receive = (packet) =>
  packet.isRequest && SCANNERS.test(packet.headers.get("user-agent") ?? "") && "drop";
