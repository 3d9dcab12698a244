import { randomBytes } from "node:crypto";
import type { RawResponse } from "./raw-phone.ts";

/** A message as text, with a way to its headers. */
export interface Message extends RawResponse {
  /** `""` for a response. */
  readonly method: string;
  /** The first value of a header. */
  one(name: string): string;
}

/** A request of a phone's own, within a dialog or outside. */
export interface Outgoing {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: number;
  readonly lines?: readonly string[];
}

/** Milliseconds that an answer may take: less than RFC 3261's 32 s, so that a test ends. */
export const PATIENCE: number = 4000;

/** A branch for a new transaction. */
export function newBranch(): string {
  return `z9hG4bK${randomBytes(8).toString("hex")}`;
}

/** The URI in a name-addr. */
export function uriOf(contact: string): string {
  return /<([^>]*)>/.exec(contact)?.[1] ?? contact;
}

/** Takes a message apart. */
export function readMessage(text: string): Message {
  const all = (name: string): readonly string[] =>
    [...text.matchAll(new RegExp(`^${name}: *(.*?)\\r?$`, "gim"))].map(([, value = ""]) => value);
  const [, status = "0"] = /^SIP\/2\.0 (\d{3}) /.exec(text) ?? [];
  const [, method = ""] = /^([A-Z]+) \S+ SIP\/2\.0\r\n/.exec(text) ?? [];
  return { status: Number(status), method, text, all, one: (name) => all(name)[0] ?? "" };
}

/** Gives what a promise gives, or fails when that takes too long. */
export async function inTime<T>(promise: Promise<T>, why: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Headers of a route set in their order, as Routes. */
export function asRoutes(recordRoutes: readonly string[]): readonly string[] {
  return recordRoutes.map((route) => `Route: ${route}`);
}

/** The Record-Routes of a message, one each. */
export function recordRoutesOf(message: Message): readonly string[] {
  return message.all("Record-Route").flatMap((line) => line.split(/,\s*(?=<)/));
}
