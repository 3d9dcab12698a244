import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { GuardedServer, RawConnection, until } from "./guarded-server.ts";
import { message, REGISTER } from "./message.ts";

describe("CVE-2021-41145, ES2021-06: a flood of REGISTER", () => {
  it("of strangers leaves nothing, of whomever they call themselves", async () => {
    const server = await GuardedServer.start();
    for (let n = 0; n < 2_000; n += 1) {
      const address = `<sip:user${n}@example.com>`;
      const wire = message(REGISTER, {
        From: `${address};tag=${n}`,
        To: address,
        Contact: address,
      });
      const sender = server.net.transport(`udp:203.0.113.${n % 250}:5060`);
      sender.send(wire, { protocol: "udp", address: "192.0.2.1", port: 5060 });
    }
    await server.net.run(20);
    expect(server.net.log.filter(({ wire }) => wire.startsWith("SIP/2.0 401 "))).toHaveLength(
      2_000,
    );
    expect(server.alive).toEqual([]);
    expect(server.authorize.rememberedNonces).toBe(0);
    expect(server.store.users).toBe(0);
    server.net.log.length = 0;
    await server.end();
  });

  it("with wrong passwords for good challenges leaves nothing either", async () => {
    const server = await GuardedServer.start();
    const proof = await server.proof("alice", REGISTER);
    const [name = "", value = ""] = proof.split(/: (.*)/, 2);
    for (let n = 0; n < 2_000; n += 1) {
      // The last digit is wrong in any case.
      const guess = value.replace(
        /response="\w{4}(\w+)(\w)"/,
        (_all, digits: string, last: string) =>
          `response="${n.toString(16).padStart(4, "0")}${digits}${last === "0" ? "1" : "0"}"`,
      );
      const sender = server.net.transport("udp:203.0.113.66:5060");
      const wire = message(REGISTER, { [name]: guess, Contact: "<sip:mallory@203.0.113.66>" });
      sender.send(wire, { protocol: "udp", address: "192.0.2.1", port: 5060 });
    }
    await server.net.run(20);
    expect(server.dispatcher.counters()).toMatchObject({ wrongCredentials: 2_000 });
    expect(server.alive).toEqual([]);
    expect(server.authorize.rememberedNonces).toBe(0);
    expect(server.store.users).toBe(0);
    server.net.log.length = 0;
    await server.end();
  });
});

describe("CVE-2018-7286 (AST-2018-005), CVE-2020-28327 (AST-2020-001): INVITEs, then a reset", () => {
  it("ten on each of a hundred connections leave nothing, and nobody is reached", async () => {
    const server = await GuardedServer.start({ legs: [{ listen: "tcp:127.0.0.1:0" }] });
    const { port = 0 } = server.dispatcher.legs.at(-1) ?? {};
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const from = server.net.log.length;
    for (let batch = 0; batch < 10; batch += 1) {
      const connections = await Promise.all(
        Array.from({ length: 10 }, () => RawConnection.open(port)),
      );
      await until(() => server.dispatcher.stats().connections === 10);
      for (const { socket } of connections) {
        const invites = Array.from({ length: 10 }, () => message("INVITE sip:bob@example.com"));
        socket.write(invites.join(""));
        const closed = once(socket, "close");
        socket.resetAndDestroy();
        await closed;
      }
    }
    await until(() => server.dispatcher.stats().connections === 0);
    expect(server.net.log.slice(from)).toEqual([]);
    await server.net.run(20);
    // bob's own registration is all that is remembered.
    expect(server.dispatcher.stats()).toMatchObject({
      inviteServers: 0,
      inviteClients: 0,
      waitingRequests: 0,
    });
    expect(server.dispatcher.counters()).toMatchObject({ accepted: 100 });
    await server.end();
  });

  it("of a user who is let in end by themselves: his phone is gone", async () => {
    const server = await GuardedServer.start({ legs: [{ listen: "tcp:127.0.0.1:0" }] });
    const { port = 0 } = server.dispatcher.legs.at(-1) ?? {};
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const start = "INVITE sip:bob@example.com";
    const connection = await RawConnection.open(port);
    for (let n = 0; n < 10; n += 1) {
      const [name = "", value] = (await server.proof("alice", start)).split(/: (.*)/, 2);
      connection.socket.write(
        message(start, { [name]: value, Contact: "<sip:alice@192.0.2.100>" }),
      );
    }
    await until(() => server.dispatcher.stats().inviteServers === 10);
    connection.socket.resetAndDestroy();
    await until(() => server.dispatcher.stats().connections === 0);
    await server.net.run("3m");
    expect(server.dispatcher.stats()).toMatchObject({ inviteServers: 0, inviteClients: 0 });
    await server.end();
  });
});
