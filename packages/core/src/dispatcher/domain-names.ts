import { SipError } from "../errors.ts";

/** A host as names are compared: in lower case and without a final dot. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

/**
 * Domains as a `domains` option lists them: a name stands for itself, `*.example.com` for every name below it and not
 * for `example.com`.
 */
export class DomainNames {
  /** As {@link canonicalHost} writes them. */
  readonly names: readonly string[];
  /** The first one that stands for itself. */
  readonly first: string | undefined;
  readonly #exact: ReadonlySet<string>;
  readonly #suffixes: readonly string[];

  /** Throws a `SipError` (`SIP_BAD_DOMAIN`) for what is neither a host nor `*.` and a name. */
  constructor(names: readonly string[]) {
    this.names = names.map(checked);
    this.#exact = new Set(this.names.filter((name) => !name.startsWith("*.")));
    [this.first] = this.#exact;
    this.#suffixes = this.names
      .filter((name) => name.startsWith("*."))
      .map((name) => name.slice(1));
  }

  /** Whether a host, as {@link canonicalHost} writes it, is one of them. */
  has(host: string): boolean {
    return this.#exact.has(host) || this.#suffixes.some((suffix) => host.endsWith(suffix));
  }
}

function checked(name: string): string {
  const host = canonicalHost(name);
  if (!/^(?:(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])$/.test(host)) {
    throw new SipError("SIP_BAD_DOMAIN", `not a domain: ${JSON.stringify(name)}`);
  }
  return host;
}
