import { authorize } from "@sipkit/auth";
import { Request } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { message } from "./message.ts";

const METHODS = ["REGISTER", "INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS"] as const;

/** A user with a password and a binding; one who has neither; one whom the operator has shut out. */
const USERS = ["alice", "wally", "debra"] as const;
type User = (typeof USERS)[number];

async function start(): Promise<GuardedServer> {
  const server = await GuardedServer.start({
    auth: {
      credentials: (user: string) =>
        user === "debra" ? undefined : { alice: "secret", bob: "secret" }[user],
    },
  });
  await server.register("alice", "<sip:alice@192.0.2.100>");
  return server;
}

/** A request about a user, in which nothing but her name differs from one about another. */
function request(method: string, user: User, cseq: number, to: "from" | "to"): string {
  const address = `<sip:${user}@example.com>`;
  const isRegister = method === "REGISTER";
  return message(`${method} ${isRegister ? "sip:example.com" : `sip:${user}@example.com`}`, {
    Via: `SIP/2.0/UDP 203.0.113.66:5060;branch=z9hG4bK${cseq}`,
    "Call-ID": `call-${cseq}`,
    CSeq: `${cseq} ${method}`,
    From: `${to === "from" || isRegister ? address : "<sip:other@example.net>"};tag=1`,
    To: address,
    Contact: `<sip:${user}@203.0.113.66>`,
    Event: "presence",
  });
}

/** An answer without what differs from one to the next anyhow: the user's name, the nonce, the To tag. */
function likeness(wire: string | undefined, user: User): string | undefined {
  return wire
    ?.replaceAll(user, "USER")
    .replace(/nonce="[^"]{48}"/g, "NONCE")
    .replace(/(?<=^To: .*;tag=)[\w-]{16}(?=\r$)/m, "TAG");
}

/** What a stranger learns of a user by everything that he can send about her. */
async function probe(server: GuardedServer, user: User, method: string): Promise<unknown> {
  const learnt: unknown[] = [];
  const look = async (wire: string): Promise<Request> => {
    const { answers, forwarded, counted } = await server.send(wire, "203.0.113.66");
    expect(answers).toHaveLength(1);
    expect(forwarded).toEqual([]);
    const answer = answers[0]?.toWire();
    learnt.push(likeness(answer, user), answer?.length, counted);
    const asked = Request.parse(wire);
    if (answers[0]) await authorize(asked, answers[0], [user, "guessed"]);
    return asked;
  };
  for (const side of ["from", "to"] as const) {
    const guess = await look(request(method, user, side === "from" ? 1 : 2, side));
    // A wrong password, for a challenge of ours; the same again; for a nonce that is too old, and of nobody.
    await look(guess.toWire());
    await look(guess.toWire().replaceAll("z9hG4bK", "z9hG4bKagain"));
    const field = guess.headers.has("authorization") ? "authorization" : "proxy-authorization";
    const line = guess.headers.get(field) ?? "";
    for (const [from, into] of [
      [/nonce="../, 'nonce="xx'],
      [/response="[^"]*"/, 'response="0"'],
      [/nc=\w+/, "nc=ffffffff"],
      [/realm="[^"]*"/, 'realm="other"'],
      [/uri="[^"]*"/, 'uri="sip:x"'],
      [/, qop=\w+/, ""],
    ] as const) {
      const other = guess.clone();
      other.headers.set(field, line.replace(from, into));
      expect(other.headers.get(field)).not.toBe(line);
      await look(other.toWire());
    }
    await server.net.run("6m");
    await look(guess.toWire().replaceAll("z9hG4bK", "z9hG4bKold"));
  }
  return learnt;
}

describe("CVE-2018-12227, AST-2018-008: who exists", () => {
  it.each(METHODS)(
    "%s tells a stranger the same of a user, of nobody and of one who is shut out",
    async (method) => {
      const [known, unknown, barred] = await Promise.all(
        USERS.map(async (user) => {
          const server = await start();
          const learnt = await probe(server, user, method);
          await server.end();
          return learnt;
        }),
      );
      expect(unknown).toEqual(known);
      expect(barred).toEqual(known);
    },
  );

  it("nothing in an answer says who made it: no Server, no Warning, no Contact of anybody", async () => {
    const server = await start();
    for (const method of METHODS) {
      const { answers } = await server.send(request(method, "alice", 1, "to"), "203.0.113.66");
      expect([...(answers[0]?.headers ?? [])].map(([name]) => name.toLowerCase()).sort()).toEqual(
        ["call-id", "content-length", "cseq", "from", "to", "via"]
          .concat(method === "REGISTER" ? "www-authenticate" : "proxy-authenticate")
          .sort(),
      );
    }
    await server.end();
  });
});
