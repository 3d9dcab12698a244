import { Dispatcher, Request } from "@sipkit/core";
import { VirtualNetwork } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { Registrar } from "./registrar.ts";
import type { RegistrarOptions } from "./registrar-options.ts";

/** A registrar, and a device that has registered over TCP. */
async function scene({
  contact = ";reg-id=1",
  ...given
}: RegistrarOptions & { contact?: string } = {}) {
  const network = new VirtualNetwork();
  const { clock } = network;
  const registrar = new Registrar(given);
  const lost: string[] = [];
  registrar.events.on("lost", ({ addressOfRecord }) => lost.push(addressOfRecord));
  const server = new Dispatcher({
    clock,
    domains: ["example.com"],
    legs: [{ listen: network.transport("tcp:192.0.2.1:5060") }],
    receiver: registrar,
  });
  const phone = new Dispatcher({
    clock,
    legs: [{ listen: network.transport("tcp:192.0.2.100:5060") }],
  });
  await Promise.all([server.listen(), phone.listen()]);
  let calls = 0;
  const send = async (method: string, headers: Readonly<Record<string, string>> = {}) => {
    calls += 1;
    const request = new Request(method, "sip:example.com", {
      headers: {
        From: "<sip:alice@example.com>;tag=1",
        To: "<sip:alice@example.com>",
        "Call-ID": `${calls}`,
        CSeq: `${calls} ${method}`,
        "Max-Forwards": "70",
        ...headers,
      },
    });
    const { final } = phone.request(request, { to: "sip:192.0.2.1;transport=tcp" });
    await clock.advance(10);
    return final;
  };
  const registered = await send("REGISTER", {
    Contact: `<sip:alice@192.0.2.100;transport=tcp>;+sip.instance="<urn:uuid:1>"${contact}`,
    Supported: "path, outbound",
  });
  const isThere = (): boolean => server.stats().connections === 1;
  return { clock, server, registered, lost, send, isThere };
}

describe("Flow-Timer, RFC 5626 §5.4", () => {
  it("closes the connection of a device that is silent for 10 s longer, and its binding goes", async () => {
    const { clock, registered, lost, isThere } = await scene({ flowTimer: 20 });
    expect(registered.headers.get("flow-timer")).toBe("20");
    await clock.advance(29_900);
    expect([isThere(), lost]).toEqual([true, []]);
    await clock.advance(200);
    expect([isThere(), lost]).toEqual([false, ["sip:alice@example.com"]]);
  });

  it("leaves it open as long as anything comes", async () => {
    const { clock, lost, send, isThere } = await scene({ flowTimer: 20 });
    for (let minute = 0; minute < 5; minute += 1) {
      await clock.advance(25_000);
      await send("OPTIONS");
    }
    expect([isThere(), lost]).toEqual([true, []]);
    await clock.advance(31_000);
    expect([isThere(), lost]).toEqual([false, ["sip:alice@example.com"]]);
  });

  it.each<readonly [string, RegistrarOptions & { contact?: string }]>([
    ["registers no flow", { contact: "", flowTimer: 20 }],
    ["is told no time", {}],
  ])("is nothing to a device that %s", async (_, how) => {
    const { clock, registered, lost, isThere } = await scene(how);
    expect(registered.headers.has("flow-timer")).toBe(false);
    await clock.advance(120_000);
    expect([isThere(), lost]).toEqual([true, []]);
  });
});
