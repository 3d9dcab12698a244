import { readFileSync } from "node:fs";
import { type Packet, parsePacket } from "@sipkit/core";
import type { Column } from "./columns.ts";
import type { Erratum } from "./errata.ts";

/** A message that an RFC prints, and what is known of it: an entry of `index.json`. */
export interface Vector {
  readonly file: string;
  readonly rfc: number;
  readonly section: string;
  /** As `F1 REGISTER Bob -> SIP Server`; empty where the RFC gives none. */
  readonly label: string;
  /** Whether the printed body has the length that Content-Length says; `null` where the RFC prints none. */
  readonly length_match: boolean | null;
  readonly quirks: readonly string[];
  readonly usable_for_parser: boolean;
}

const DIRECTORY = new URL("../vectors/flows/", import.meta.url);

const vectors: readonly Vector[] = JSON.parse(
  readFileSync(new URL("index.json", DIRECTORY), "utf8"),
).messages;

/** The messages of one section, by their number in the figure: `F1`, `F2` … */
export function vectorsOf(rfc: number, section: string): ReadonlyMap<string, Vector> {
  const found = vectors.filter((vector) => vector.rfc === rfc && vector.section === section);
  if (found.length === 0) throw new Error(`there are no messages of RFC ${rfc} §${section}`);
  return new Map(found.map((vector) => [vector.label.split(" ")[0] ?? "", vector]));
}

/** The texts of a section whose messages have no numbers, in order. */
export function vectorTexts(rfc: number, section: string): readonly string[] {
  return vectors
    .filter((vector) => vector.rfc === rfc && vector.section === section)
    .map((vector) => textOf(vector));
}

/** The exact bytes, as latin1. */
function textOf({ file }: Vector): string {
  return readFileSync(new URL(file, DIRECTORY), "latin1");
}

/**
 * The message as it would be printed for a column of the matrix. Of its head are replaced: the transport of each Via and of
 * URIs, `sips:` on transports but TLS, and off the virtual network, where every host is 127.0.0.1, the addresses in
 * `received`. Its body stays as it is.
 */
export function messageFor(
  vector: Vector,
  { protocol, isVirtual, isMixed = false }: Column,
  errata: readonly Erratum[] = [],
): Packet {
  const text = errata.reduce((before, [printed, right]) => {
    if (!before.includes(printed)) throw new Error(`${vector.file} has no ${printed}`);
    return before.replace(printed, right);
  }, textOf(vector));
  const end = text.indexOf("\r\n\r\n");
  let head = text.slice(0, end);
  if (!isMixed) {
    head = head
      .replace(/SIP\/2\.0\/(?:UDP|TCP|TLS) /g, `SIP/2.0/${protocol.toUpperCase()} `)
      .replace(/;transport=(?:udp|tcp|tls)/g, `;transport=${protocol}`);
    if (protocol !== "tls") head = head.replace(/sips:/g, "sip:");
  }
  if (!isVirtual) head = head.replace(/received=192\.0\.2\.\d+/g, "received=127.0.0.1");
  return parsePacket(`${head}${text.slice(end)}`);
}
