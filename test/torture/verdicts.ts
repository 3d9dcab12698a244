import { readFileSync } from "node:fs";
import type { Role } from "./roles.ts";
import type { Vector } from "./vectors.ts";

/** A final status; or that a proxy sends the request on; or that nothing is answered. */
export type Says = number | "forwards it" | "drops it";

/** What a server does with a message that came in one datagram, and on a stream where that differs. */
export interface Verdict {
  readonly by: Role;
  readonly says: Says;
  readonly onStream?: Says;
  /** Whether it closes the stream. */
  readonly closes?: boolean;
}

/** The verdicts on a message, and the reason where the RFC leaves a choice. */
export interface Entry {
  readonly verdicts: readonly Verdict[];
  readonly because?: string;
}

const by = (role: Role, says: Says, more: Omit<Verdict, "by" | "says"> = {}): Verdict => ({
  by: role,
  says,
  ...more,
});

const accepted = [by("uas", 200), by("proxy", "forwards it")];
const bound = [by("registrar", 200)];

/** Every role refuses it with the same status. */
function refused(status: Says, more: Omit<Verdict, "by" | "says"> = {}): readonly Verdict[] {
  const roles: readonly Role[] = ["element", "registrar", "proxy", "uas"];
  return roles.map((role) => by(role, status, more));
}

/** What each message of RFC 4475 gets, by its name. */
export const entries: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  ["wsinv", { verdicts: accepted }],
  ["intmeth", { verdicts: [by("proxy", "forwards it"), by("uas", 501), by("element", 501)] }],
  ["esc01", { verdicts: accepted }],
  ["escnull", { verdicts: bound }],
  ["esc02", { verdicts: [by("proxy", "forwards it"), by("uas", 501), by("element", 501)] }],
  ["lwsdisp", { verdicts: accepted }],
  ["longreq", { verdicts: accepted }],
  [
    "dblreq",
    {
      verdicts: [
        by("registrar", 200, { closes: true }),
        by("proxy", "forwards it", { closes: true }),
      ],
      because:
        "on a stream what follows is a request of its own, and the 5 bytes after that are none",
    },
  ],
  ["semiuri", { verdicts: accepted }],
  ["transports", { verdicts: accepted }],
  ["mpart01", { verdicts: accepted }],
  ["unreason", { verdicts: [by("element", "drops it"), by("proxy", "drops it")] }],
  ["noreason", { verdicts: [by("element", "drops it"), by("proxy", "drops it")] }],
  ["badinv01", { verdicts: refused(400) }],
  ["clerr", { verdicts: refused(400, { onStream: "drops it", closes: true }) }],
  ["ncl", { verdicts: refused(400, { closes: true }) }],
  ["scalar02", { verdicts: refused(400) }],
  ["scalarlg", { verdicts: refused("drops it") }],
  ["quotbal", { verdicts: refused(400), because: "where the quote ends is a guess" }],
  ["ltgtruri", { verdicts: accepted, because: "Net::SIP sends them; they are taken off" }],
  ["lwsruri", { verdicts: refused(400), because: "where the URI ends is a guess" }],
  ["lwsstart", { verdicts: refused(400), because: "no client that we know of needs it" }],
  ["trws", { verdicts: refused(400), because: "no client that we know of needs it" }],
  ["escruri", { verdicts: refused(400), because: "whoever wrote it wants what he may not have" }],
  ["baddate", { verdicts: accepted, because: "nobody reads Date; who does gets a 400" }],
  ["regbadct", { verdicts: [by("registrar", 400)], because: "§20 of RFC 3261 asks for brackets" }],
  ["badaspec", { verdicts: refused(400), because: "no white space is in any URI" }],
  [
    "baddn",
    {
      verdicts: refused(400, { closes: true }),
      because: "a comma may begin the next value; in the archive its head has no end",
    },
  ],
  ["badvers", { verdicts: refused(505) }],
  ["mismatch01", { verdicts: refused(400) }],
  ["mismatch02", { verdicts: refused(501), because: "the RFC prefers it to 400" }],
  ["bigcode", { verdicts: refused("drops it") }],
  ["badbranch", { verdicts: accepted, because: "its transaction is told as RFC 2543 has it" }],
  ["insuf", { verdicts: refused(400) }],
  ["unkscm", { verdicts: [by("element", 416), by("proxy", 416), by("uas", 416)] }],
  ["novelsc", { verdicts: [by("element", 416), by("proxy", 416), by("uas", 416)] }],
  ["unksm2", { verdicts: [by("registrar", 400), by("proxy", "forwards it")] }],
  ["bext01", { verdicts: [by("proxy", 420), by("uas", 420)] }],
  ["invut", { verdicts: [by("uas", 415), by("proxy", "forwards it")] }],
  [
    "regaut01",
    {
      verdicts: [
        by("registrar", 200),
        by("guarded registrar", 401),
        by("proxy", "forwards it"),
        by("uas", 405),
      ],
    },
  ],
  ["multi01", { verdicts: refused(400) }],
  ["mcl01", { verdicts: refused(400, { closes: true }) }],
  ["bcast", { verdicts: [by("element", "drops it"), by("proxy", "drops it")] }],
  ["zeromf", { verdicts: [by("proxy", 483), by("uas", 200)] }],
  ["cparam01", { verdicts: bound }],
  ["cparam02", { verdicts: bound }],
  ["regescrt", { verdicts: bound }],
  ["sdp01", { verdicts: [by("uas", 406), by("proxy", "forwards it")] }],
  [
    "inv2543",
    {
      verdicts: [
        by("uas", 200, { onStream: 400, closes: true }),
        by("proxy", "forwards it", { onStream: 400, closes: true }),
      ],
      because: "on a stream nothing tells where it ends",
    },
  ],
  ["test", { verdicts: refused("drops it"), because: "it has no Via to answer to" }],
]);

/** Whether the RFC allows a verdict, going by `index.json`. */
export function isAllowed({ by: role, says }: Verdict, { parser, expect }: Vector): boolean {
  const isTaken = says === "forwards it" || says === 200;
  if (parser === "either" && isTaken) return true;
  const name = role === "guarded registrar" ? "registrar" : role;
  const allowed = expect[name] ?? expect.any;
  if (allowed === undefined) return true;
  const said = says === "forwards it" ? "forward" : says === "drops it" ? "drop" : says;
  const isFinal = typeof says === "number" && says >= 200;
  return (
    allowed.includes(said) ||
    (allowed.includes("process") && isFinal && says < 300) ||
    (allowed.includes("reject") && isFinal && says >= 400)
  );
}

/** A verdict as `docs/rfc.md` writes it. */
function describeEntry({ verdicts, because }: Entry): string {
  const groups = new Map<string, string[]>();
  for (const verdict of verdicts) {
    const said = saying(verdict);
    groups.set(said, [...(groups.get(said) ?? []), verdict.by]);
  }
  const parts = [...groups].map(([said, roles]) =>
    roles.length === 4 ? said : `${roles.join(", ")}: ${said}`,
  );
  return `${parts.join("; ")}${because === undefined ? "" : ` (${because})`}`;
}

function saying({ says, onStream, closes }: Verdict): string {
  const stream = onStream === undefined ? [] : [String(onStream).replace(" it", "")];
  if (closes === true) stream.push("closed");
  const rest = stream.length === 0 ? "" : `, on a stream ${stream.join(" and ")}`;
  return `${String(says).replace(" it", "")}${rest}`;
}

/** The table of `docs/rfc.md`: message, section, what it is, verdict, tests. */
export function verdictRows(vectors: readonly Vector[]): readonly (readonly string[])[] {
  const fields = readFileSync(new URL("fields.test.ts", import.meta.url), "utf8");
  return vectors.map(({ name, section, title }) => {
    const entry = entries.get(name);
    const hasFields = new RegExp(`["(\\[ ]${name}["),:\\]]`).test(fields);
    return [
      `\`${name}\``,
      section === null ? "–" : `§${section}`,
      title.replaceAll(/[<>]/g, "\\$&"),
      entry === undefined ? "" : describeEntry(entry),
      `[verdict](../test/torture/rfc4475.test.ts)${
        hasFields ? " [fields](../test/torture/fields.test.ts)" : ""
      }`,
    ];
  });
}
