import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Dispatcher, parsePacket } from "@sipkit/core";
import { completeRequest } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { readOptions as readClusterOptions } from "../../examples/cluster/options.ts";

import { exchange, freePort, registerAs, start, startWith, stop, useExamples } from "./example.ts";

useExamples();

describe("examples/cluster", () => {
  const secret = { SIPKIT_SECRET: "0123456789abcdef".repeat(2) };

  it("prints its name, where it listens and what it shares, and serves before its Redis does", async () => {
    const port = await freePort();
    const listen = ["--listen", `tcp:127.0.0.1:${port}`, "--listen", `udp:127.0.0.1:${port}`];
    const store = ["--store", `redis://:hidden@127.0.0.1:${await freePort()}`];
    const example = startWith({ env: secret }, "cluster", "--node", "a", ...store, ...listen);
    await example.says(/try: sipsak -U.*\n/);
    expect(example.output()).toMatch(/^node a\nlistening on tcp:/m);
    expect(example.output()).toMatch(/^registrations are kept in Redis at 127\.0\.0\.1:\d+$/m);
    expect(await exchange(port, "OPTIONS sip:example.com SIP/2.0")).toBe("SIP/2.0 200 OK");
    const register = "REGISTER sip:example.com SIP/2.0\nContact: <sip:alice@127.0.0.1>";
    expect(await exchange(port, register)).toBe("SIP/2.0 401 Unauthorized");
    expect(await stop(example)).toBe(0);
    expect(example.output()).not.toContain("hidden");
  });

  it.each([
    ["a secret that can be guessed", ["--node", "a"], {}, /SIPKIT_SECRET must have 32/],
    ["a store that is none", ["--store", "memory"], secret, /--store is redis:/],
    ["a sentinel without a group", ["--store", "sentinel:127.0.0.1"], secret, /--store is redis:/],
    ["a number that is none", ["--replicas", "one"], secret, /--replicas is a number/],
  ])("refuses %s", (_what, args, env, line) => {
    expect(() => readClusterOptions(args, env)).toThrow(line);
  });
});

describe("examples/register-and-redirect", () => {
  it("challenges REGISTER alone and tells callers of unknown users so", async () => {
    const port = await freePort();
    const example = start("register-and-redirect", `${port}`);
    await example.says(/listening on tcp/);
    expect(await exchange(port, "REGISTER sip:example.com SIP/2.0")).toContain(" 401 ");
    expect(await exchange(port, "INVITE sip:bob@example.com SIP/2.0")).toContain(" 404 ");
    expect(await stop(example)).toBe(0);
  });
});

describe("examples/custom-handler", () => {
  it("logs and times packets and drops scanners", async () => {
    const port = await freePort();
    const example = start("custom-handler", `${port}`);
    await example.says(/listening on tcp/);
    expect(await exchange(port, "OPTIONS sip:bob@example.com SIP/2.0")).toContain(" 404 ");
    await example.says(/<- 127\.0\.0\.1:[0-9]+ OPTIONS sip:bob@example\.com/);
    await example.says(/-> 127\.0\.0\.1:[0-9]+ 404 to OPTIONS/);
    await example.says(/Registrar took [0-9.]+ ms/);
    const scan = "OPTIONS sip:bob@example.com SIP/2.0\nUser-Agent: friendly-scanner";
    expect(await exchange(port, scan, 300)).toBe("");
    expect(await stop(example)).toBe(0);
  });
});

describe("examples/sql-users", () => {
  it("lets in who knows the password of a row", async () => {
    const port = await freePort();
    const example = start("sql-users", `${port}`);
    await example.says(/users are in memory/);
    const phone = new Dispatcher({ legs: ["udp:127.0.0.1:0"] });
    await phone.listen();
    for (const [password, status] of [
      ["guess", 401],
      ["secret", 200],
    ] as const) {
      expect(await registerAs(phone, `sip:127.0.0.1:${port}`, "alice", password)).toBe(status);
    }
    await phone.close();
    expect(await stop(example)).toBe(0);
  });
});

describe("examples/push", () => {
  it("wakes a phone for a message, which goes to the port that it comes back from", async () => {
    const port = await freePort();
    const example = start("push", `${port}`);
    await example.says(/listening on tcp/);
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const own = `127.0.0.1:${socket.address().port}`;
    const register = (cseq: number, at: string): string =>
      [
        "REGISTER sip:example.com SIP/2.0",
        "To: <sip:bob@example.com>",
        "Call-ID: bob",
        `CSeq: ${cseq} REGISTER`,
        `Contact: <sip:bob@${at};pn-provider=console;pn-prid=SECRET>`,
      ].join("\n");
    expect(await exchange(port, register(1, "127.0.0.1:9"))).toContain(" 200 ");
    const answer = exchange(port, "MESSAGE sip:bob@example.com SIP/2.0");
    await example.says(/wake "sip:bob@example.com": "MESSAGE from /);
    socket.on("message", (bytes) => {
      const packet = parsePacket(bytes.toString("latin1"));
      if (!packet.isRequest) return;
      expect(packet.uri).toBe(`sip:bob@${own}`);
      socket.send(Buffer.from(packet.createResponse(200).toWire(), "latin1"), port, "127.0.0.1");
    });
    socket.send(
      completeRequest(`${register(2, own)}\nVia: SIP/2.0/UDP ${own};branch=z9hG4bK2`),
      port,
      "127.0.0.1",
    );
    expect(await answer).toContain(" 200 ");
    expect(example.output()).not.toContain("SECRET");
    socket.close();
    expect(await stop(example)).toBe(0);
  });
});

describe("examples/nested-chains", () => {
  it("asks for passwords for REGISTER alone", async () => {
    const port = await freePort();
    const example = start("nested-chains", `${port}`);
    await example.says(/listening on tcp/);
    expect(await exchange(port, "REGISTER sip:example.com SIP/2.0")).toContain(" 401 ");
    expect(await exchange(port, "OPTIONS sip:nobody@example.com SIP/2.0")).toContain(" 404 ");
    expect(await stop(example)).toBe(0);
  });
});

describe("examples/stateless-proxy", () => {
  it("blocks, drops scanners, and knows nobody yet", async () => {
    const port = await freePort();
    const example = start("stateless-proxy", `${port}`);
    await example.says(/listening on tcp:127\.0\.0\.2/);
    const stranger = "From: <sip:carol@example.net>;tag=1";
    expect(await exchange(port, "SUBSCRIBE sip:bob@example.com SIP/2.0")).toContain(" 489 ");
    expect(await exchange(port, `INVITE sip:bob@example.com SIP/2.0\n${stranger}`)).toContain(
      " 404 ",
    );
    expect(await exchange(port, "CANCEL sip:bob@example.com SIP/2.0")).toContain(" 481 ");
    const scan = "OPTIONS sip:bob@example.com SIP/2.0\nUser-Agent: friendly-scanner";
    expect(await exchange(port, scan, 300)).toBe("");
    expect(await stop(example)).toBe(0);
  });
});

describe("examples/register-client", () => {
  it("registers with digest, and takes its contact back when it ends", async () => {
    const port = await freePort();
    const listen = ["--listen", `udp:127.0.0.1:${port}`, "--listen", `tcp:127.0.0.1:${port}`];
    const server = start("registrar", ...listen);
    await server.says(/try: /);
    const client = start("register-client", "--server", `sip:127.0.0.1:${port};transport=tcp`);
    await client.says(/is registered for 60 s/);
    await server.says(/added sip:alice@example\.com/);
    expect(await stop(client)).toBe(0);
    await server.says(/removed sip:alice@example\.com/);
    expect(client.output()).toContain("is not registered any more");
    expect(await stop(server)).toBe(0);
  });

  it("says so when its password is wrong", async () => {
    const port = await freePort();
    const server = start("registrar", "--listen", `udp:127.0.0.1:${port}`);
    await server.says(/try: /);
    const client = start(
      "register-client",
      "--server",
      `sip:127.0.0.1:${port}`,
      "--user",
      "alice:wrong",
    );
    await client.says(/is not registered: 401/);
  });
});

describe("examples/mid-registrar", () => {
  it("registers a phone with the registrar behind it, and takes it away there", async () => {
    const [port, behind] = [await freePort(), await freePort()];
    const upstream = start("registrar", "--listen", `udp:127.0.0.1:${behind}`);
    await upstream.says(/try: /);
    const mid = start("mid-registrar", `${port}`, `sip:127.0.0.1:${behind}`);
    await mid.says(/listening on tcp/);
    const client = start("register-client", "--server", `sip:127.0.0.1:${port};transport=tcp`);
    await client.says(/is registered for 60 s/);
    await mid.says(/sip:alice@example\.com is at sip:/);
    await upstream.says(/added sip:alice@example\.com.*sip:mid\./);
    expect(await stop(client)).toBe(0);
    await mid.says(/sip:alice@example\.com has gone/);
    await upstream.says(/removed sip:alice@example\.com/);
    expect(await stop(mid)).toBe(0);
  });
});

describe("examples/ladder", () => {
  it("draws who sent what to whom, of a call and of one that is given up", async () => {
    const example = start("ladder", "--ascii");
    const [code] = (await once(example.child, "close")) as [number | null];
    expect(code).toBe(0);
    const arrows = [...example.output().matchAll(/<?-+ ([A-Z0-9][^-]*) -+>?/g)];
    const drawn = arrows.map(([arrow, text]) => `${arrow.startsWith("<") ? "<" : ">"} ${text}`);
    expect(drawn.slice(0, 4)).toEqual([
      "> REGISTER (1)",
      "< 401 Unauthorized (1 REGISTER)",
      "> REGISTER (2)",
      "< 200 OK (2 REGISTER)",
    ]);
    expect(drawn.filter((text) => text.endsWith(" BYE (3)"))).toHaveLength(2);
    expect(drawn.filter((text) => text.endsWith(" CANCEL (2)"))).toHaveLength(2);
    expect(example.output()).toContain("alice called bob: 200\n");
    expect(example.output()).toContain("bob gave up calling alice: 487\n");
  });

  it("attaches to another server", async () => {
    const port = await freePort();
    const listen = ["--listen", `udp:127.0.0.1:${port}`];
    const example = startWith({ imports: ["./examples/ladder/attach.ts"] }, "registrar", ...listen);
    await example.says(/try: sipsak -U.*\n/);
    await exchange(port, "OPTIONS sip:example.com SIP/2.0");
    await example.says(/│─+ OPTIONS \(1\) ─+▶│/);
    await example.says(/│◀─+ 200 OK \(1 OPTIONS\) ─+│/);
    expect(await stop(example)).toBe(0);
  });
});

describe("examples/metrics", () => {
  it("serves to Prometheus what happened", async () => {
    const [port, http] = [await freePort(), await freePort()];
    const example = start("metrics", `${port}`, `${http}`);
    await example.says(/metrics at/);
    const read = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${http}/metrics`)).text();
    expect(await read()).not.toContain("sip_server_requests_total{");
    await exchange(port, "OPTIONS sip:nobody@example.com SIP/2.0");
    await exchange(port, "nonsense SIP/2.0");
    const text = await read();
    const line = (name: string): string =>
      text.split("\n").find((each) => each.startsWith(`${name}{`)) ?? "";
    expect(line("sip_server_requests_total")).toMatch(
      /sip_request_method="OPTIONS",.*sip_response_status_class="4xx".* 1$/,
    );
    expect(line("sip_server_request_duration_count")).toMatch(/ 1$/);
    expect(text).toMatch(/^sipkit_events_total\{name="malformedMessages".*\} 1$/m);
    expect(await stop(example)).toBe(0);
  });
});
