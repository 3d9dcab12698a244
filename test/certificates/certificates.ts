import { readFileSync } from "node:fs";

/** The path of a certificate or key in this folder. */
export function certificatePath(name: string, kind: "cert" | "key"): string {
  return new URL(`${name}.${kind}.pem`, import.meta.url).pathname;
}

/** A certificate with its key, PEM text each: `certificate("example")`. */
export function certificate(name: string): { readonly cert: string; readonly key: string } {
  return { cert: read(name, "cert"), key: read(name, "key") };
}

/** The authority that signed all but `unknown`, as PEM text. */
export const ca: string = read("ca", "cert");

function read(name: string, kind: "cert" | "key"): string {
  return readFileSync(certificatePath(name, kind), "utf8");
}
