import { describe, expect, it } from "vitest";
import { GuardedServer, SERVER } from "./guarded-server.ts";
import { message, REGISTER } from "./message.ts";

/**
 * A server that lets strangers call its users, as one does that takes calls from everywhere: what comes back to it is a
 * stranger's, and isn't challenged. So nothing but the loop check ends a circle.
 */
const start = (): Promise<GuardedServer> => GuardedServer.start({ auth: { allowCallsToUs: true } });

/** What the server sent until a stranger's request had come to its end, and what he was answered. */
async function callAlice(server: GuardedServer): Promise<{
  readonly requests: number;
  readonly statuses: readonly number[];
}> {
  const at = server.net.log.length;
  await server.send(
    message("MESSAGE sip:alice@example.com", {
      Via: "SIP/2.0/UDP 198.51.100.5:5060;branch=z9hG4bKstranger",
      From: "<sip:carol@example.net>;tag=1",
    }),
    "198.51.100.5",
  );
  await server.net.run("2m");
  const sent = server.net.log.slice(at).filter(({ from }) => from === `${SERVER}:5060`);
  return {
    requests: sent.filter(({ wire }) => wire.startsWith("MESSAGE ")).length,
    statuses: sent.flatMap(({ to, packet }) =>
      to.startsWith("198.51.100.5:") && !packet.isRequest ? [packet.status] : [],
    ),
  };
}

describe("CVE-2013-3722: a look-up that finds itself", () => {
  it.each([
    "<sip:alice@example.com>",
    "<sip:alice@EXAMPLE.COM:5060;transport=tcp>",
    "<sip:%61lice@example.com>",
    `<sip:alice@${SERVER}>`,
    `<sip:alice@${SERVER}:5060;x=y>`,
    "<sips:alice@example.com>",
  ])("%s is no Contact of alice's: 403", async (contact) => {
    const server = await GuardedServer.start();
    const { answers, counted } = await server.sendAs("alice", REGISTER, { Contact: contact });
    expect(answers.map(({ status }) => status)).toEqual([403]);
    expect(counted).toEqual({ registrationsLeadingBack: 1 });
    expect(server.store.users).toBe(0);
    await server.end();
  });
});

describe("RFC 5393: forks that come back", () => {
  it("two addresses-of-record that point at each other: 482", async () => {
    const server = await start();
    expect(await server.register("alice", `<sip:bob@${SERVER}>`)).toBe(200);
    expect(await server.register("bob", `<sip:alice@${SERVER}>`)).toBe(200);
    expect(await callAlice(server)).toEqual({ requests: 2, statuses: [482] });
    expect(server.dispatcher.counters()).toMatchObject({ loops: 1 });
    await server.end();
  });

  it("the same where strangers are challenged: the first lap is the last", async () => {
    const server = await GuardedServer.start();
    expect(await server.register("alice", `<sip:bob@${SERVER}>`)).toBe(200);
    expect(await server.register("bob", `<sip:alice@${SERVER}>`)).toBe(200);
    const { forwarded, answers } = await server.sendAs("bob", "MESSAGE sip:alice@example.com");
    expect(forwarded).toHaveLength(1);
    expect(answers.map(({ status }) => status)).toContain(407);
    await server.end();
  });

  it("ten Contacts each, all in a circle: as many requests as Max-Breadth allows", async () => {
    const server = await start();
    for (const [user, other] of [
      ["alice", "bob"],
      ["bob", "alice"],
    ] as const) {
      const Contact = Array.from({ length: 10 }, (_, n) => `<sip:${other}@${SERVER};n=${n}>`);
      const { answers } = await server.sendAs(user, REGISTER, { Contact });
      expect(answers.map(({ status }) => status)).toEqual([200]);
    }
    const { requests, statuses } = await callAlice(server);
    expect(statuses).toEqual([440]);
    expect(requests).toBeLessThanOrEqual(60);
    await server.sendAs("bob", REGISTER, { Contact: "*", Expires: "0" });
    await server.end();
  });

  it.each([`<sip:${SERVER}>`, `<sip:${SERVER}:5060;transport=udp>`, "<sip:example.com>"])(
    "the proxy itself as a Contact, %s: one lap, and nobody is there",
    async (contact) => {
      const server = await start();
      expect(await server.register("alice", contact)).toBe(200);
      expect(await callAlice(server)).toEqual({ requests: 1, statuses: [401] });
      await server.end();
    },
  );

  it("a Path back to the proxy: an end, whatever it is", async () => {
    const server = await start();
    const { answers } = await server.sendAs("alice", REGISTER, {
      Contact: "<sip:alice@192.0.2.100>",
      Path: `<sip:${SERVER};lr>, <sip:example.com;lr>, <sip:${SERVER}:5060;lr;ob>`,
      Supported: "path",
    });
    expect(answers.map(({ status }) => status)).toEqual([200]);
    const { requests } = await callAlice(server);
    expect(requests).toBe(1);
    await server.end();
  });

  it("a stranger's request through ourselves, by forty Routes: challenged, one answer", async () => {
    const server = await start();
    const Route = Array.from({ length: 40 }, () => `<sip:${SERVER};lr>`).join(", ");
    const { answers, forwarded } = await server.send(
      message("MESSAGE sip:bob@example.com", { Route }),
    );
    expect(answers.map(({ status }) => status)).toEqual([407]);
    expect(forwarded).toEqual([]);
    await server.end();
  });
});
