/** What XML 1.0 has no place for: most controls, halves of characters, and two that are none. XML 1.0 §2.2 */
const NO_CHARACTER = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
/** White space other than SP is written as a number, or readers would make a space of it. XML 1.0 §3.3.3 */
const SPECIAL = /[&<>"'\t\n\r]/g;

/** A text for an element or an attribute in quotes: what is special is escaped, what XML can't hold is left out. */
export function xmlText(text: string): string {
  return text
    .replace(NO_CHARACTER, "")
    .replace(SPECIAL, (character) => ESCAPES.get(character) ?? `&#${character.charCodeAt(0)};`);
}

/** Attributes as a tag has them, each with a space before it; those without a value are left out. */
export function xmlAttributes(
  attributes: Readonly<Record<string, string | number | undefined>>,
): string {
  return Object.entries(attributes)
    .map(([name, value]) => (value === undefined ? "" : ` ${name}="${xmlText(String(value))}"`))
    .join("");
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["'", "&apos;"],
]);
