import { describe, expect, it } from "vitest";
import { printable, shortened } from "./printable.ts";

describe("printable", () => {
  it("escapes what could drive a terminal", () => {
    expect(printable("\u001b[2J\r\n\u0000\u007f\u009b")).toBe("\\x1b[2J\\x0d\\x0a\\x00\\x7f\\x9b");
  });

  it("escapes what could turn or break a line", () => {
    expect(printable("a\u202eb\u2028c\u200bd")).toBe("a\\u{202e}b\\u{2028}c\\u{200b}d");
  });

  it("leaves what people write", () => {
    expect(printable("Zürich 東京 😀")).toBe("Zürich 東京 😀");
  });
});

describe("shortened", () => {
  it("leaves what fits", () => {
    expect(shortened("12345", 5)).toBe("12345");
  });

  it("cuts what doesn't, and says so", () => {
    expect(shortened("123456", 5)).toBe("1234…");
    expect(shortened("\u001b\u001b\u001b", 5)).toBe("\\x1b…");
  });
});
