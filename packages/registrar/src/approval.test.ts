import { Reject, type Request, type Response } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import type { ApprovalTerms, RegistrationPlan } from "./approval.ts";
import { ALICE, contactsOf, inMemory, PHONE, register, setUp } from "./test-kit/registrar-kit.ts";

const changesOf = ({ changes }: RegistrationPlan): readonly string[] =>
  changes.map(([name, { binding }]) => `${name} ${binding.uri}`);

describe("approve", () => {
  it("is told what a REGISTER would do, and nothing is done yet", async () => {
    const plans: RegistrationPlan[] = [];
    const { answer, registrar } = await setUp({
      whenFull: "replace-oldest",
      maxBindings: 1,
      approve: (_request, plan) => {
        plans.push(plan);
        return undefined;
      },
    });
    await answer(register(PHONE));
    await answer(register(undefined));
    await answer(register("<sip:alice@192.0.2.101>"));
    await answer(register("*", { lines: ["Expires: 0"] }));
    expect(plans.map(changesOf)).toEqual([
      ["added sip:alice@192.0.2.100"],
      [],
      ["added sip:alice@192.0.2.101", "removed sip:alice@192.0.2.100"],
      ["removed sip:alice@192.0.2.101"],
    ]);
    expect(plans.map(({ bindings }) => bindings.length)).toEqual([1, 1, 1, 0]);
    expect(plans[0]?.addressOfRecord).toBe(ALICE);
    expect(await registrar.query(ALICE)).toEqual([]);
  });

  it("is not asked about a REGISTER that is refused anyway", async () => {
    let asked = 0;
    const { answer } = await setUp({
      approve: () => {
        asked += 1;
        return undefined;
      },
    });
    expect((await answer(register(`${PHONE};expires=1`))).status).toBe(423);
    expect((await answer(register("*"))).status).toBe(400);
    expect(asked).toBe(0);
  });

  it("refuses, and then nothing is changed and nothing told", async () => {
    const { answer, registrar, uris } = await setUp({
      approve: (request) => request.createResponse(403, { reason: "Not Today" }),
    });
    const told: string[] = [];
    registrar.events.on("added", ({ binding }) => told.push(binding.uri));
    const { status, reason } = await answer(register(PHONE));
    expect([status, reason]).toEqual([403, "Not Today"]);
    expect((await answer(register(undefined))).status).toBe(403);
    expect([...told, ...(await uris())]).toEqual([]);
    expect((await registrar.counts()).refused).toEqual({ "403 Not Today": 2 });
  });

  it("refuses by what it throws, too", async () => {
    const { answer, uris } = await setUp({
      approve: () => {
        throw new Reject(480);
      },
    });
    expect((await answer(register(PHONE))).status).toBe(480);
    expect(await uris()).toEqual([]);
  });

  it("shortens bindings, and adds to the answer", async () => {
    const terms: ApprovalTerms = { maxExpires: 40, headers: [["P-Associated-URI", "<tel:+1>"]] };
    const { answer } = await setUp({ approve: () => terms });
    const response = await answer(register(PHONE));
    expect(contactsOf(response)).toEqual([`${PHONE};expires=40`]);
    expect(response.headers.get("p-associated-uri")).toBe("<tel:+1>");
    const brief = await answer(register(`${PHONE};expires=35`));
    expect(contactsOf(brief)).toEqual([`${PHONE};expires=35`]);
  });

  it("keeps a user's REGISTERs in order while it takes its time", async () => {
    const waiting: [request: Request, resolve: (response: Response | undefined) => void][] = [];
    const { server, uris } = await setUp({
      store: inMemory(),
      approve: (request) => new Promise((resolve) => waiting.push([request, resolve])),
    });
    const first = server.ask(register(PHONE));
    const second = server.ask(register(`${PHONE};expires=0`));
    expect(waiting).toHaveLength(1);
    waiting[0]?.[1](undefined);
    await first;
    expect(waiting).toHaveLength(2);
    expect(await uris()).toEqual(["sip:alice@192.0.2.100"]);
    waiting[1]?.[1](undefined);
    await second;
    expect(await uris()).toEqual([]);
  });
});
