import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TextArena } from "./text-arena.ts";

describe("TextArena", () => {
  it("gives every text back as it was, whatever came and went", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ maxLength: 100 }),
      fc.constantFrom("", "\ud800", "\u00ff", "\u0100", "\0".repeat(28), "x".repeat(29)),
    );
    const step = fc.record({ text, remove: fc.boolean(), which: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const arena = new TextArena();
        const model = new Map<number, string>();
        for (const { text: added, remove, which } of steps) {
          const handles = [...model.keys()];
          const handle = handles[which % Math.max(1, handles.length)];
          if (remove && handle !== undefined) {
            arena.delete(handle);
            model.delete(handle);
          } else {
            const put = arena.put(added);
            expect(model.has(put)).toBe(false);
            model.set(put, added);
          }
          for (const [each, kept] of model) expect(arena.get(each)).toBe(kept);
          expect(arena.size).toBe(model.size);
        }
      }),
    );
  });

  it("takes more than one chunk, and texts longer than a chunk", () => {
    const arena = new TextArena();
    const long = "0123456789".repeat(150_000);
    const texts = [
      long,
      ...Array.from({ length: 3000 }, (_, index) => `${index} `.repeat(100)),
      long,
    ];
    const handles = texts.map((text) => arena.put(text));
    expect(new Set(handles).size).toBe(texts.length);
    for (const [index, handle] of handles.entries()) expect(arena.get(handle)).toBe(texts[index]);
  });

  it("uses the room of what was deleted again", () => {
    const arena = new TextArena();
    arena.put("stays");
    const handle = arena.put("x".repeat(100));
    arena.delete(handle);
    expect(arena.put("y".repeat(110))).toBe(handle);
    expect(arena.get(handle)).toBe("y".repeat(110));
  });
});
