import { createHash } from "node:crypto";
import { Params } from "@sipkit/core";
import type { Binding } from "./binding.ts";

/**
 * Names a binding among those of its user: 22 characters of base64url, made of its URI and of its parameters but `q`. It
 * stays when the binding is refreshed, and goes into an address as it is.
 */
export function bindingId({ uri, params }: Binding): string {
  const written = JSON.stringify([uri, new Params(params).without("q").toString()]);
  return createHash("sha256").update(written).digest("base64url").slice(0, 22);
}
