import type { HeaderField } from "../header-field.ts";
import { CONTENT_LENGTH } from "../header-names.ts";
import { numberField } from "./seconds.ts";

/** The Content-Length header: the body's bytes. Written by itself when a message is sent. RFC 3261 §20.14 */
export const contentLength: HeaderField<number> = numberField(
  CONTENT_LENGTH,
  Number.MAX_SAFE_INTEGER,
);
