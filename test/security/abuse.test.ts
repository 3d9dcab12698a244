import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { REGISTER } from "./message.ts";

/** Who registers from where the whole world is. */
const ABROAD = "203.0.113.66";

/** Where a call to alice is sent, once she has registered a Contact from abroad; what she got for it. */
async function reachOf(
  contact: string,
): Promise<readonly [status: number | undefined, to: readonly string[]]> {
  const server = await GuardedServer.start();
  const status = await server.register("alice", contact, ABROAD);
  const at = server.net.log.length;
  await server.sendAs("bob", "INVITE sip:alice@example.com");
  await server.net.run("1m");
  const to = server.net.log
    .slice(at)
    .filter(({ from, to }) => from.startsWith("192.0.2.1:") && !to.startsWith("192.0.2.100:"))
    .map((sent) => `${sent.protocol} ${sent.to}`);
  await server.end();
  return [status, [...new Set(to)]];
}

/** Over UDP, to where she registered from. */
const BACK = [200, [`udp ${ABROAD}:5060`]];

describe("registration abuse: a look-up that sends for others", () => {
  it.each([
    "<sip:alice@127.0.0.1:6379>",
    "<sip:alice@127.0.0.1:6379;transport=tcp>",
    "<sip:alice@127.1.2.3>",
    "<sip:alice@[::1]:6379;transport=tcp>",
    "<sip:alice@[::ffff:127.0.0.1]>",
    "<sip:alice@[::ffff:7f00:1]>",
    "<sip:alice@[0:0:0:0:0:0:0:1]>",
    "<sip:alice@[::]>",
    "<sip:alice@0.0.0.0>",
    "<sip:alice@localhost;transport=tcp>",
    "<sip:alice@169.254.169.254:80;transport=tcp>",
    "<sip:alice@[fd00:ec2::254]>",
    "<sip:alice@10.0.0.1>",
    "<sip:alice@100.64.0.1>",
    "<sip:alice@192.168.0.1>",
    "<sip:alice@224.0.0.1>",
    "<sip:alice@239.255.255.250:1900>",
    "<sip:alice@255.255.255.255>",
    "<sip:alice@[ff02::1]>",
    "<sip:alice@203.0.113.9;maddr=127.0.0.1>",
    "<sip:alice@203.0.113.9;maddr=224.0.0.1>",
  ])("%s is called where it was registered from, and nowhere else", async (contact) => {
    expect(await reachOf(contact)).toEqual(BACK);
  });

  it("a port of 0 and a transport that nobody has fail alone", async () => {
    expect(await reachOf("<sip:alice@203.0.113.9;transport=foo>")).toEqual([200, []]);
    expect(await reachOf("<sip:alice@203.0.113.9:0>")).toEqual([200, ["udp 203.0.113.9:0"]]);
  });

  it("the URI of the server's own domain is a user's, not the server's", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const before = await server.bindings("bob");
    // That alice is to be reached where bob is (call forwarding) changes nothing of his.
    expect(await server.register("alice", "<sip:bob@example.com>")).toBe(200);
    expect(await server.register("alice", "<sip:bob@192.0.2.101>")).toBe(200);
    expect(await server.bindings("bob")).toEqual(before);
    await server.end();
  });
});

/** What a stranger's DNS may say of his names. */
const names = {
  "loopback.example.net": "127.0.0.1",
  "metadata.example.net": "169.254.169.254",
  "multicast.example.net": "239.255.255.250",
};

/** Where the server has sent anything but to who sent it something. */
function sentOn(server: GuardedServer): readonly string[] {
  const to = server.net.log.filter(({ from }) => from.startsWith("192.0.2.1:"));
  return to.map((each) => each.to).filter((each) => !each.startsWith("192.0.2.100:"));
}

describe("requests to where only this machine gets", () => {
  const places = [
    ...["127.0.0.1:6379", "[::ffff:127.0.0.1]:6379", "0.0.0.0:6379", "169.254.169.254:80"],
    ...["224.0.0.1", "255.255.255.255", ...Object.keys(names)],
  ];

  it.each(places)("a user's own INVITE to %s is answered 403", async (place) => {
    const server = await GuardedServer.start({ names });
    for (const transport of ["", ";transport=tcp"]) {
      const uri = `sip:x@${place}${transport}`;
      const routes = [{}, { Route: `<sip:${place}${transport};lr>` }, { Route: `<sip:${place}>` }];
      const starts = [`INVITE ${uri}`, "INVITE sip:x@192.0.2.77", "INVITE sip:x@192.0.2.77"];
      for (const [at, start] of starts.entries()) {
        const { answers } = await server.sendAs("alice", start, routes[at]);
        expect(answers.map(({ status }) => status).filter((status) => status > 100)).toEqual([403]);
      }
    }
    expect(sentOn(server)).toEqual([]);
    expect(server.dispatcher.counters()).toMatchObject({ refusedHops: 6 });
    await server.end();
  });

  it.each(Object.keys(names))("a Contact at %s is never called there", async (name) => {
    const server = await GuardedServer.start({ names });
    const contacts = [`<sip:alice@${name}:6379>`, `<sips:alice@${name}>`];
    for (const contact of contacts) {
      expect(await server.register("alice", contact)).toBe(200);
      await server.sendAs("bob", "INVITE sip:alice@example.com");
      await server.net.run("1m");
    }
    expect(sentOn(server)).toEqual([]);
    await server.end();
  });

  it.each(["127.0.0.1:6379", "loopback.example.net"])("nor one behind a Path at %s", async (at) => {
    const server = await GuardedServer.start({ names });
    const Contact = "<sip:alice@203.0.113.9>";
    const Path = `<sip:${at};lr>`;
    const { answers } = await server.sendAs("alice", REGISTER, {
      ...{ Contact, Path, Supported: "path" },
    });
    expect(answers.map(({ status }) => status)).toEqual([200]);
    const call = await server.sendAs("bob", "INVITE sip:alice@example.com");
    expect(call.answers.at(-1)?.status).toBe(403);
    expect(sentOn(server)).toEqual([]);
    await server.end();
  });
});

describe("registration abuse: one account", () => {
  it("makes one address-of-record, whatever it asks for", async () => {
    const server = await GuardedServer.start();
    for (let user = 0; user < 200; user += 1) {
      const { answers } = await server.sendAs("alice", REGISTER, {
        To: `<sip:user${user}@example.com>`,
        Contact: "<sip:alice@192.0.2.100>",
      });
      expect(answers.map(({ status }) => status)).toEqual([403]);
    }
    expect(server.store.users).toBe(0);
    await server.end();
  });

  it("has ten bindings, however often it comes with another", async () => {
    const server = await GuardedServer.start();
    const statuses: (number | undefined)[] = [];
    for (let n = 0; n < 30; n += 1) {
      statuses.push(await server.register("alice", `<sip:alice@192.0.2.100:${6000 + n}>`));
    }
    expect(statuses).toEqual([...Array(10).fill(200), ...Array(20).fill(403)]);
    expect(server.dispatcher.counters()).toMatchObject({ registrationsOverLimit: 20 });
    expect(await server.bindings("alice")).toHaveLength(10);
    await server.end();
  });

  it("leaves nothing behind when it registers and goes hundreds of times", async () => {
    const server = await GuardedServer.start();
    for (let n = 0; n < 250; n += 1) {
      const contact = `<sip:alice@192.0.2.100:${6000 + n}>`;
      for (const Expires of ["60", "0"]) {
        const { answers } = await server.sendAs("alice", REGISTER, { Contact: contact, Expires });
        expect(answers[0]?.status).toBe(200);
      }
    }
    expect(server.store.bindings).toBe(0);
    await server.net.run("10m");
    expect(server.authorize.rememberedNonces).toBe(0);
    await server.end();
  });

  it("gets nothing over the Contact of another customer: it isn't his binding that goes", async () => {
    const server = await GuardedServer.start();
    await server.register("bob", "<sip:bob@192.0.2.101>", "192.0.2.101");
    const before = await server.bindings("bob");
    const Contact = "<sip:bob@192.0.2.101>";
    for (const Expires of ["60", "0"]) {
      const { answers } = await server.sendAs("alice", REGISTER, { Contact, Expires });
      expect(answers.map(({ status }) => status)).toEqual([200]);
    }
    const { answers } = await server.sendAs("alice", REGISTER, { Contact: "*", Expires: "0" });
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect(await server.bindings("bob")).toEqual(before);
    await server.end();
  });
});
