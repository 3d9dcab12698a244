/** A time span: milliseconds, or a number with its unit as in `"150ms"`, `"40s"`, `"2m"`, `"1h"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h"}`;

const units: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/** A {@link Duration} in milliseconds. Throws a `RangeError` for what is none. */
export function milliseconds(duration: Duration): number {
  if (typeof duration === "number" && duration >= 0) return duration;
  const [, number = "", unit = ""] = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/.exec(`${duration}`) ?? [];
  const factor = units.get(unit);
  if (factor === undefined) {
    throw new RangeError(
      `"${duration}" is no duration: write 40_000, "150ms", "40s", "2m" or "1h"`,
    );
  }
  return Number(number) * factor;
}
