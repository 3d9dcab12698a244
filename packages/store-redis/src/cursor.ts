import { SipError } from "@sipkit/core";
import { PARTS } from "./user-name.ts";

/** Where a page of users has ended: a part of the index, and the last name in it. */
export interface Cursor {
  readonly part: number;
  readonly name: string | undefined;
}

export function writeCursor(part: number, name: string): string {
  return `${part}.${Buffer.from(name).toString("base64url")}`;
}

/** Throws `SIP_BAD_CURSOR` for what isn't written so. */
export function readCursor(text: string): Cursor {
  const [, part = "", encoded = ""] = /^([0-9]{1,2})\.([\w-]+)$/.exec(text) ?? [];
  const name = Buffer.from(encoded, "base64url").toString();
  if (encoded !== "" && Number(part) < PARTS && writeCursor(Number(part), name) === text) {
    return { part: Number(part), name };
  }
  throw new SipError("SIP_BAD_CURSOR", "no page of this store ended there");
}
