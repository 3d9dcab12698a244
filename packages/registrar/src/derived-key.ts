import { hash } from "node:crypto";

/** 32 bytes that are made of a secret for one purpose, and tell nothing of those for another. */
export function derivedKey(purpose: string, secret: string | Uint8Array): Buffer {
  const text = typeof secret === "string" ? secret : Buffer.from(secret).toString("hex");
  return Buffer.from(hash("sha256", `${purpose}\n${text}`, "hex"), "hex");
}
