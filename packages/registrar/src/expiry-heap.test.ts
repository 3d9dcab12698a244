import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpiryHeap } from "./expiry-heap.ts";

interface Named {
  readonly name: number;
  place: number;
}

describe("ExpiryHeap", () => {
  it("is empty at first", () => {
    const heap = new ExpiryHeap<Named>();
    expect(heap.size).toBe(0);
    expect(heap.top).toBeUndefined();
    expect(heap.topTime).toBeUndefined();
  });

  it("gives entries in the order of their times, whatever was added, moved and removed", () => {
    const step = fc.record({
      what: fc.constantFrom("add", "move", "remove"),
      which: fc.nat(),
      time: fc.integer({ min: 0, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const heap = new ExpiryHeap<Named>();
        const model = new Map<Named, number>();
        for (const { what, which, time } of steps) {
          const held = [...model.keys()];
          const entry = held[which % Math.max(1, held.length)];
          if (what === "add" || entry === undefined) {
            const added = { name: model.size, place: -1 };
            heap.add(added, time);
            model.set(added, time);
          } else if (what === "move") {
            heap.move(entry, time);
            model.set(entry, time);
          } else {
            heap.remove(entry);
            model.delete(entry);
            expect(entry.place).toBe(-1);
          }
          for (const [each, at] of model) expect(heap.timeOf(each)).toBe(at);
        }
        const drained: number[] = [];
        while (heap.top !== undefined) {
          drained.push(heap.topTime as number);
          heap.remove(heap.top);
        }
        expect(drained).toEqual([...model.values()].sort((a, b) => a - b));
      }),
    );
  });
});
