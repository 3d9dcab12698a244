import { readFileSync, statSync } from "node:fs";
import { type Server, SipError } from "@sipkit/core";
import { type HashAlgorithm, isDigest } from "./algorithm.ts";
import { type Ha1Source, userhashIndex } from "./credentials.ts";

type Ha1s = Map<string, Partial<Record<HashAlgorithm, string>>>;

/** How often the file is looked at, in milliseconds. */
const INTERVAL = 1000;

/**
 * Reads the text of an htdigest file: a line `user:realm:HA1` for each user, the HA1 in hex, 32 digits for MD5 and 64
 * for SHA-256. Empty lines and those that begin with `#` are skipped, and so are other realms. Of two lines for one
 * user the first counts.
 *
 * Throws a `SipError` (`SIP_BAD_HTDIGEST`) that names the line, never what it holds.
 */
export function parseHtdigest(text: string, realm: string): Ha1s {
  const users: Ha1s = new Map();
  text.split(/\r?\n/).forEach((line, index) => {
    if (line === "" || line.startsWith("#")) return;
    const first = line.indexOf(":");
    const last = line.lastIndexOf(":");
    const ha1 = line.slice(last + 1);
    const algorithm = (["MD5", "SHA-256"] as const).find((name) => isDigest(name, ha1));
    if (first < 1 || last === first || algorithm === undefined) {
      throw new SipError("SIP_BAD_HTDIGEST", `line ${index + 1} is not user:realm:HA1`);
    }
    if (line.slice(first + 1, last) !== realm) return;
    const user = line.slice(0, first);
    const known = users.get(user) ?? {};
    known[algorithm] ??= ha1.toLowerCase();
    users.set(user, known);
  });
  return users;
}

/**
 * The users of an htdigest file. At most once a second, and only when somebody authenticates, it is looked whether the
 * file changed, and then it is read again at once. A file that can't be read any more, or has a bad line, is told to
 * the operator once; the users that were read last stay.
 */
export class HtdigestFile implements Ha1Source {
  readonly #path: string;
  readonly #realm: string;
  #server: Pick<Server, "clock" | "report"> | undefined;
  readonly #indexed: readonly HashAlgorithm[];
  #users: Ha1s = new Map();
  #byHash: ReadonlyMap<string, string> = new Map();
  #version = "";
  #lookedAt = 0;

  /** `indexed`: the hash functions to find users by their userhash with. */
  constructor(path: string, realm: string, indexed: readonly HashAlgorithm[] = []) {
    this.#path = path;
    this.#realm = realm;
    this.#indexed = indexed;
  }

  /** Reads the file. Throws `SIP_BAD_HTDIGEST` when it can't. */
  start(server: Pick<Server, "clock" | "report">): void {
    this.#server = server;
    this.#lookedAt = server.clock.now();
    this.#version = this.#look();
    this.#read();
  }

  ha1(user: string, algorithm: HashAlgorithm): string | undefined {
    this.#refresh();
    return this.#users.get(user)?.[algorithm];
  }

  userOfHash(userhash: string): string | undefined {
    this.#refresh();
    return this.#byHash.get(userhash);
  }

  #refresh(): void {
    const now = this.#server?.clock.now() ?? 0;
    if (now - this.#lookedAt < INTERVAL) return;
    this.#lookedAt = now;
    let version: string;
    try {
      version = this.#look();
    } catch {
      version = "unreadable";
    }
    if (version === this.#version) return;
    this.#version = version;
    try {
      this.#read();
    } catch (error) {
      this.#server?.report(error as SipError, { handler: "Authorize" });
    }
  }

  /** What changes whenever the file does. */
  #look(): string {
    try {
      const { ino, size, mtimeNs, ctimeNs } = statSync(this.#path, { bigint: true });
      return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
    } catch (cause) {
      throw unreadable(this.#path, cause);
    }
  }

  #read(): void {
    let text: string;
    try {
      text = readFileSync(this.#path, "utf8");
    } catch (cause) {
      throw unreadable(this.#path, cause);
    }
    this.#users = parseHtdigest(text, this.#realm);
    this.#byHash = userhashIndex(this.#users.keys(), this.#realm, this.#indexed);
  }
}

function unreadable(path: string, cause: unknown): SipError {
  return new SipError("SIP_BAD_HTDIGEST", `${path} could not be read`, { cause });
}
