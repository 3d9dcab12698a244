import { type Request, SipError } from "@sipkit/core";
import {
  type Algorithm,
  type HashAlgorithm,
  hashAlgorithms,
  hashOf,
  algorithms as known,
} from "./algorithm.ts";

/**
 * Which algorithms are offered, the preferred one first: the same ones to everybody; by what a request's User-Agent
 * begins with, in any case, the first entry that matches, `"*"` for all others; or by a function of the request.
 *
 * What a request says of itself proves nothing: whoever can alter it can have the weakest of all that are ever offered.
 */
export type AlgorithmChoice =
  | readonly Algorithm[]
  | Readonly<Record<string, readonly Algorithm[]>>
  | ((request: Request) => readonly Algorithm[]);

/** An {@link AlgorithmChoice}, ready to be asked. */
export interface Algorithms {
  /** What is offered to, and accepted of, whoever sent this. Throws `SIP_BAD_OPTION` for what a function gave wrong. */
  readonly of: (request: Request) => readonly Algorithm[];
  /** All hash functions that may come to be used. */
  readonly hashes: readonly HashAlgorithm[];
}

/** Checks a choice. Throws `SIP_BAD_OPTION`. */
export function algorithmsOf(choice: AlgorithmChoice): Algorithms {
  if (typeof choice === "function") {
    return { of: (request) => checked(choice(request)), hashes: hashAlgorithms };
  }
  if (isList(choice)) {
    const list = checked([...choice]);
    return { of: () => list, hashes: hashesOf(list) };
  }
  return byUserAgent(choice);
}

function byUserAgent(table: Readonly<Record<string, readonly Algorithm[]>>): Algorithms {
  const lists = new Map(Object.entries(table).map(([agent, list]) => [agent, checked([...list])]));
  const others = lists.get("*");
  if (others === undefined) throw new SipError("SIP_BAD_OPTION", 'algorithms must have a "*"');
  lists.delete("*");
  const entries = [...lists].map(([agent, list]) => ({ agent: agent.toLowerCase(), list }));
  return {
    of: (request) => {
      const agent = request.headers.get("User-Agent")?.toLowerCase() ?? "";
      return entries.find((entry) => agent.startsWith(entry.agent))?.list ?? others;
    },
    hashes: hashesOf([...lists.values(), others].flat()),
  };
}

function isList(choice: AlgorithmChoice): choice is readonly Algorithm[] {
  return Array.isArray(choice);
}

function hashesOf(list: readonly Algorithm[]): readonly HashAlgorithm[] {
  return [...new Set(list.map(hashOf))];
}

function checked(list: readonly Algorithm[]): readonly Algorithm[] {
  const isGood =
    Array.isArray(list) &&
    list.length > 0 &&
    new Set(list).size === list.length &&
    list.every((algorithm) => known.includes(algorithm));
  if (isGood) return list;
  throw new SipError("SIP_BAD_OPTION", `algorithms must be some of ${known.join(", ")}, each once`);
}
