import { describe, expect, it } from "vitest";
import { PHONE, register } from "../test-kit/registrar-kit.ts";
import { told, watch } from "../test-kit/watch-kit.ts";

describe("RegEvents, RFC 3680", () => {
  it("tells everything at once, then what has changed", async () => {
    const { server, subscribe, after, answer } = await watch();
    const { response, notifies } = await subscribe();
    expect(response.status).toBe(200);
    expect(notifies.map(told)).toEqual(["0 full init:"]);
    for (const notify of notifies) await answer(notify);
    await server.ask(register(PHONE));
    expect((await after(5000)).map(told)).toEqual([
      "1 partial active: registered sip:alice@192.0.2.100",
    ]);
  });
});
