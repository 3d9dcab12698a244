import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Workbench } from "./workbench.ts";

/** The realm, and the domain of every user. */
export const DOMAIN = "example.com";
/** The password of every user. */
export const PASSWORD = "secret";

/** Users `u0`, `u1` … for SIPp, one line each: the user; her credentials. */
export function writeUsers(bench: Workbench, count: number): string {
  return write(bench, "users.csv", [
    "SEQUENTIAL",
    ...userNames(count).map((user) => `${user};${credentials(user)}`),
  ]);
}

/** Calls for SIPp, one line each: the caller; her credentials; the callee, who is one of the first. */
export function writeCalls(bench: Workbench, callers: number, callees: number): string {
  return write(bench, "calls.csv", [
    "SEQUENTIAL",
    ...userNames(callers).map((user, i) => `${user};${credentials(user)};u${(i * 7) % callees}`),
  ]);
}

/** The same users for a server, as `htdigest` writes them. */
export function writeHtdigest(bench: Workbench, count: number): string {
  return write(
    bench,
    "htdigest",
    userNames(count).map((user) => {
      const ha1 = createHash("md5").update(`${user}:${DOMAIN}:${PASSWORD}`).digest("hex");
      return `${user}:${DOMAIN}:${ha1}`;
    }),
  );
}

function userNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => `u${i}`);
}

function credentials(user: string): string {
  return `[authentication username=${user} password=${PASSWORD}]`;
}

function write(bench: Workbench, name: string, lines: readonly string[]): string {
  const file = bench.file(name);
  writeFileSync(file, `${lines.join("\n")}\n`);
  return file;
}
