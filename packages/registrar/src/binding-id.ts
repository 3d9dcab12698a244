import { createHash } from "node:crypto";
import { Params } from "@sipkit/core";
import type { Binding } from "./binding.ts";

/**
 * Names a binding among those of its user: 22 characters of base64url, made of its URI and of its parameters but `q`. It
 * stays when the binding is refreshed, and goes into an address as it is.
 */
export function bindingId(binding: Binding): string {
  const written = JSON.stringify(identifyingParts(binding));
  return createHash("sha256").update(written).digest("base64url").slice(0, 22);
}

/** What stays of a binding when it is refreshed. */
export function identifyingParts({ uri, params }: Binding): readonly [uri: string, params: string] {
  return [uri, new Params(params).without("q").toString()];
}
