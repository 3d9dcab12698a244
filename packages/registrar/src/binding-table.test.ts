import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Binding } from "./binding.ts";
import { BindingTable } from "./binding-table.ts";
import { sampleBinding } from "./testing.ts";

const place = fc.record({
  node: fc.constantFrom("a", "b"),
  epoch: fc.constantFrom("1", "2"),
  protocol: fc.constantFrom("udp", "tls"),
  local: fc.constantFrom("192.0.2.1:5060", "[2001:db8::1]:5061"),
  remote: fc.constantFrom("", "198.51.100.7:1024", "198.51.100.8:1025"),
});
const flow = fc.oneof(
  fc.constant(undefined),
  place,
  fc.tuple(place, fc.nat()).map(([where, connection]) => ({ ...where, connection })),
);
const binding: fc.Arbitrary<Binding> = fc
  .record({
    uri: fc.constantFrom("sip:a@192.0.2.7", "sip:b@192.0.2.7", "sip:\u96ea@192.0.2.7"),
    params: fc.constantFrom("", ";q=0.5", ";x"),
    q: fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000),
    expiresAt: fc.double({ min: 0, max: 1e13, noNaN: true }),
    callId: fc.constantFrom("", "1", "call@192.0.2.7"),
    cseq: fc.integer({ min: 0, max: 2_147_483_647 }),
    digest: fc.integer(),
    path: fc.array(fc.constantFrom("<sip:p;lr>", "<sip:q;lr>"), { maxLength: 2 }),
    flow,
    // The last one is what the key of the second would be without care.
    userAgent: fc.constantFrom(undefined, "", "phone 1.0", '["phone 1.0","INVITE"]'),
    methods: fc.constantFrom(undefined, [], ["INVITE"], ["INVITE", "MESSAGE"]),
    attributes: fc.constantFrom(undefined, {}, { a: "1" }, { a: "2" }, { a: "1", b: "" }),
  })
  .map((made) => made as Binding);

describe("BindingTable", () => {
  it("gives every binding back as it was, and keeps nothing of those that are gone", () => {
    const step = fc.record({
      what: fc.constantFrom("add", "replace", "delete"),
      which: fc.nat(),
      binding,
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new BindingTable();
        const model = new Map<number, Binding>();
        for (const { what, which, binding: given } of steps) {
          const rows = [...model.keys()];
          const row = rows[which % Math.max(1, rows.length)];
          if (what === "add" || row === undefined) {
            const added = table.add(given);
            expect(model.has(added)).toBe(false);
            model.set(added, given);
          } else if (what === "replace") {
            table.replace(row, given);
            model.set(row, given);
          } else {
            table.delete(row);
            model.delete(row);
          }
          expect(table.size).toBe(model.size);
          for (const [each, kept] of model) expect(table.read(each)).toEqual(kept);
        }
        for (const row of model.keys()) table.delete(row);
        expect([table.size, table.parts]).toEqual([0, 0]);
      }),
    );
  });

  it("keeps what many bindings have in common once", () => {
    const table = new BindingTable();
    for (let user = 0; user < 5000; user += 1)
      table.add(sampleBinding(user, { path: ["<sip:p;lr>"] }));
    // A text each, and one leg, one Path, one User-Agent.
    expect([table.size, table.parts]).toEqual([5000, 5003]);
  });

  it("links rows, and notes a place for each, from the beginning none", () => {
    const table = new BindingTable();
    const [first, second] = [table.add(sampleBinding(1)), table.add(sampleBinding(2))];
    expect([table.next(first), table.placeOf(first)]).toEqual([-1, -1]);
    table.setNext(first, second);
    table.setPlace(first, 7);
    table.replace(first, sampleBinding(3));
    expect([table.next(first), table.placeOf(first)]).toEqual([second, 7]);
    table.delete(first);
    const third = table.add(sampleBinding(4));
    expect([table.next(third), table.placeOf(third)]).toEqual([-1, -1]);
  });
});
