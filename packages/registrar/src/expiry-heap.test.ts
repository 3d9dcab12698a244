import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpiryHeap } from "./expiry-heap.ts";

function create(): { readonly heap: ExpiryHeap; readonly places: Map<number, number> } {
  const places = new Map<number, number>();
  const heap = new ExpiryHeap({
    placeOf: (entry) => places.get(entry) ?? -1,
    setPlace: (entry, place) => places.set(entry, place),
  });
  return { heap, places };
}

describe("ExpiryHeap", () => {
  it("is empty at first", () => {
    const { heap } = create();
    expect(heap.size).toBe(0);
    expect(heap.top).toBeUndefined();
    expect(heap.topTime).toBeUndefined();
  });

  it("gives entries in the order of their times, whatever was added, moved and removed", () => {
    const step = fc.record({
      what: fc.constantFrom("add", "add", "move", "remove"),
      which: fc.nat(),
      time: fc.integer({ min: 0, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const { heap, places } = create();
        const model = new Map<number, number>();
        let next = 0;
        for (const { what, which, time } of steps) {
          const held = [...model.keys()];
          const entry = held[which % Math.max(1, held.length)];
          if (what === "add" || entry === undefined) {
            heap.add(next, time);
            model.set(next, time);
            next += 1;
          } else if (what === "move") {
            heap.move(entry, time);
            model.set(entry, time);
          } else {
            heap.remove(entry);
            model.delete(entry);
            expect(places.get(entry)).toBe(-1);
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
