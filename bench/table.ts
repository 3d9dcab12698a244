/** Prints rows of text under their headings, the first column to the left, the others to the right. */
export function printTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const lines = [headings, ...rows];
  const widths = headings.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  for (const line of lines) {
    const cells = widths.map((width, i) => {
      const cell = line[i] ?? "";
      return i === 0 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(`  ${cells.join("   ").trimEnd()}`);
  }
}

/** A number with thousands set apart and a fixed number of decimals. */
export function number(value: number, decimals = 0): string {
  if (!Number.isFinite(value)) return "–";
  return value.toLocaleString("en", {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  });
}

/** Median, smallest and largest: `52 (48–61)`. */
export function spread(middle: number, values: readonly number[], decimals = 0): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${number(middle, decimals)} (${number(low, decimals)}–${number(high, decimals)})`;
}

/** Bytes as megabytes of 1024² bytes. */
export function megabytes(bytes: number): string {
  return number(bytes / 1024 ** 2);
}
