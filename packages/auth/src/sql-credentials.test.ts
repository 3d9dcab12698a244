import { Request, type Response } from "@sipkit/core";
import { TestServer } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { Authorize } from "./authorize.ts";
import { authorize } from "./authorize-request.ts";
import { ha1Of } from "./digest.ts";
import { type SqlCredentialsOptions, type SqlDatabase, sqlCredentials } from "./sql-credentials.ts";

type Row = Readonly<Record<string, unknown>>;

const query = "SELECT password FROM users WHERE username = $1 AND realm = $2";

function give(
  rows: readonly Row[],
  options: Partial<SqlCredentialsOptions> = {},
): { look: ReturnType<typeof sqlCredentials>; asked: unknown[] } {
  const asked: unknown[] = [];
  const database: SqlDatabase = {
    query: async (text, values) => {
      asked.push([text, values]);
      return { rows };
    },
  };
  return { look: sqlCredentials(database, { query, ...options }), asked };
}

describe("credentials of an SQL database", () => {
  it.each(["alice", "' OR 1=1--", "*)(uid=*", "../../x", "__proto__", "é\u{1f511}"])(
    "are asked for by the value %s, never by a text that holds it",
    async (user) => {
      const { look, asked } = give([{ password: "secret" }]);
      expect(await look(user, "example.com")).toBe("secret");
      expect(asked).toEqual([[query, [user, "example.com"]]]);
    },
  );

  it.each(["", "a\0b", "a\nb", "x".repeat(257)])("are not asked for: %j", async (user) => {
    const { look, asked } = give([{ password: "secret" }]);
    expect(await look(user, "r")).toBeUndefined();
    expect(asked).toEqual([]);
  });

  it("take their values as they are told", async () => {
    const { look, asked } = give([], {
      query: "SELECT secret FROM sip WHERE name = ?",
      values: (user) => [user],
    });
    expect(await look("alice", "r")).toBeUndefined();
    expect(asked).toEqual([["SELECT secret FROM sip WHERE name = ?", ["alice"]]]);
  });

  it("are passwords, or the HA1s that a row has, or what a reader makes of it", async () => {
    const ha1 = ha1Of("alice", "r", "secret");
    expect(await give([{ ha1 }]).look("alice", "r")).toEqual({ ha1: { MD5: ha1 } });
    expect(await give([{ ha1_sha256: "a", ha1_sha512_256: "b" }]).look("alice", "r")).toEqual({
      ha1: { "SHA-256": "a", "SHA-512-256": "b" },
    });
    const read = (row: Row): string => `${row.secret}!`;
    expect(await give([{ secret: "x" }], { read }).look("alice", "r")).toBe("x!");
  });

  it("are of that very user where the row says whose it is", async () => {
    const { look } = give([{ username: "alice", password: "secret" }]);
    expect(await look("alice", "r")).toBe("secret");
    expect(await look("ALICE", "r")).toBeUndefined();
    expect(await look("alice ", "r")).toBeUndefined();
  });

  it("are refused when the query finds several users, or nothing in one", async () => {
    const two = [{ password: "hunter2" }, { password: "hunter3" }];
    for (const rows of [two, [{ other: "hunter2" }], [{ password: 17 }]]) {
      const error: Error = await Promise.resolve(give(rows).look("alice", "r")).then(
        () => new Error("it gave something"),
        (thrown: Error) => thrown,
      );
      expect(error).toMatchObject({ code: "SIP_BAD_CREDENTIALS" });
      expect(error.message).not.toContain("hunter");
    }
  });

  it("need a placeholder: else everybody would be anybody", () => {
    expect(() => give([], { query: "SELECT password FROM users" })).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });

  it("let nobody in while the database is down, and the operator knows", async () => {
    const database: SqlDatabase = { query: () => Promise.reject(new Error("ECONNREFUSED")) };
    const server = await TestServer.start([
      new Authorize({ realm: "example.com", credentials: sqlCredentials(database, { query }) }),
      (packet) => packet.isRequest && packet.createResponse(200),
    ]);
    const register = new Request("REGISTER", "sip:example.com", {
      headers: {
        Via: "SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK1",
        From: "<sip:alice@example.com>;tag=1",
        To: "<sip:alice@example.com>",
        "Call-ID": "1",
        CSeq: "1 REGISTER",
        "Max-Forwards": "70",
      },
    });
    const [challenge] = (await server.ask(register)).sent;
    authorize(register, challenge as Response, ["alice", "secret"]);
    register.headers.set("via", "SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK2");
    const [answer] = (await server.ask(register)).sent;
    expect((answer as Response).status).toBe(500);
    expect(server.errors).toMatchObject([
      { code: "SIP_HANDLER_THREW", cause: { code: "SIP_CREDENTIALS_FAILED" } },
    ]);
    await server.close();
  });
});
