import { type HeaderField, ParseError, type Request } from "@sipkit/core";

/** How many branches a request may have at once. RFC 5393 §5.3.1 */
const maxBreadth: HeaderField<number> = {
  name: "Max-Breadth",
  parse(value) {
    if (!/^\d{1,9}$/.test(value)) {
      throw new ParseError("Malformed Max-Breadth", { header: "Max-Breadth" });
    }
    return Number(value);
  },
  format: (breadth) => String(breadth),
};

/** The breadth that a request comes with: at most ours, and ours where it has none. RFC 5393 §5.3.3 */
export function incomingBreadth(request: Request, most: number): number {
  const { headers } = request;
  return headers.has("max-breadth") ? Math.min(headers.read(maxBreadth) ?? most, most) : most;
}
