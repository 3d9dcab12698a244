import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { freePort } from "../interop/free-port.ts";
import { endPrograms, Program } from "../interop/program.ts";
import { digest, RawPhone } from "../interop/raw-phone.ts";

// The example is a process that compiles itself first.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const ROOT = new URL("../..", import.meta.url).pathname;
const SCRIPT = "<script>alert(1)</script>";

interface View {
  readonly id: string;
  readonly uri: string;
  readonly params: string;
  readonly userAgent?: string;
}

interface Answer {
  readonly users: readonly {
    readonly addressOfRecord: string;
    readonly uri: string;
    readonly bindings: readonly View[];
  }[];
  readonly bindings: readonly View[];
  readonly removed: readonly View[];
  readonly next?: string;
}

/** The events of a stream, as they come. */
async function* eventsOf(response: Response): AsyncGenerator<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
    const blocks = (text + decoder.decode(bytes, { stream: true })).split("\n\n");
    text = blocks.pop() ?? "";
    yield* blocks;
  }
}

describe("examples/admin", () => {
  let program: Program;
  let phone: RawPhone;
  let site: string;
  let token: string;
  let calls = 0;

  beforeEach(async () => {
    const [sip, http] = [await freePort(), await freePort()];
    const run = ["--conditions=@sipkit/source", "--import=tsx", "examples/admin/main.ts"];
    program = new Program(process.execPath, [...run, `${sip}`, `${http}`], { cwd: ROOT });
    const printed = await program.printed(/registrations at (http:\S+?)\/#([\w-]{32})\n/, 50_000);
    [, site = "", token = ""] = printed;
    phone = await RawPhone.open({ host: "127.0.0.1", port: sip });
  });

  afterEach(async () => {
    phone.close();
    await endPrograms();
  });

  const ask = (path: string, options: RequestInit = {}): Promise<Response> =>
    fetch(site + path, { headers: { Authorization: `Bearer ${token}` }, ...options });
  const read = async (path: string): Promise<Answer> => (await (await ask(path)).json()) as Answer;

  async function register(user: string, ...lines: string[]): Promise<void> {
    calls += 1;
    const to = { user, callId: `call-${calls}`, lines };
    const challenged = await phone.register({ ...to, cseq: 1 });
    const authorization = digest(challenged, { user, password: "secret" });
    expect((await phone.register({ ...to, cseq: 2, authorization })).status).toBe(200);
  }

  it("lists, tells and removes what phones register", async () => {
    const events = eventsOf(await ask("/events"));
    expect((await events.next()).value).toBe(": here they come");
    await register("alice", "Contact: <sip:alice@127.0.0.1:5070>");
    await register("bob", "Contact: <sip:bob@127.0.0.1:5071>");
    expect((await events.next()).value).toMatch(
      /^event: added\ndata: \{"addressOfRecord":"sip:alice@example\.com",.*"by":"alice"\}$/,
    );
    expect((await events.next()).value).toMatch(/^event: added\ndata: .*sip:bob@example\.com/);

    const first = await read("/registrations?limit=1");
    const second = await read(`/registrations?limit=1&after=${first.next}`);
    expect(second.next).toBeUndefined();
    expect(
      [...first.users, ...second.users].map((user) => user.addressOfRecord).toSorted(),
    ).toEqual(["sip:alice@example.com", "sip:bob@example.com"]);
    const { bindings } = await read("/registrations/sip:alice@example.com");
    expect(bindings).toMatchObject([{ uri: "sip:alice@127.0.0.1:5070", q: 1, path: [] }]);

    expect(await phone.bindings("alice")).toHaveLength(1);
    const path = `/registrations/${encodeURIComponent("sip:alice@example.com")}`;
    expect((await ask(`${path}/other`, { method: "DELETE" })).status).toBe(404);
    const removed = await ask(`${path}/${bindings[0]?.id}`, { method: "DELETE" });
    expect([removed.status, await removed.json()]).toEqual([200, { removed: bindings }]);
    expect((await events.next()).value).toMatch(
      /^event: removed\ndata: .*"reason":"operator","by":"admin"\}$/,
    );
    expect(await phone.bindings("alice")).toEqual([]);
    expect((await ask(path)).status).toBe(404);
    expect((await ask(path, { method: "DELETE" })).status).toBe(404);

    expect(await phone.bindings("bob")).toHaveLength(1);
    expect((await ask("/registrations/sip:bob@example.com", { method: "DELETE" })).status).toBe(
      200,
    );
    expect(await read("/registrations")).toEqual({ users: [] });
    expect(await read("/counts")).toMatchObject({ users: 0, bindings: 0, refused: {} });
    await events.return(undefined);
    expect(await program.end("SIGTERM")).toBe(0);
  });

  it("gives what phones sent as data: no event, header or line of it is the phone's", async () => {
    const events = eventsOf(await ask("/events"));
    await events.next();
    const hostile = `"${SCRIPT}" <sip:x%0A@127.0.0.1:5070>;note="${SCRIPT}\\" \\n\\nevent: added"`;
    await register("alice", `Contact: ${hostile}`, `User-Agent: ${SCRIPT}`);
    const { value } = await events.next();
    expect(value?.split("\n")).toHaveLength(2);
    const answer = await ask("/registrations");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    const { users } = (await answer.json()) as Answer;
    expect(users[0]?.bindings).toMatchObject([
      { uri: "sip:x%0A@127.0.0.1:5070", userAgent: SCRIPT },
    ]);
    expect(users[0]?.bindings[0]?.params).toContain(SCRIPT);
    await events.return(undefined);
  });

  it("answers nobody without the token, and gives a page that holds none", async () => {
    for (const authorization of [undefined, "Bearer", "Bearer wrong", `Basic ${btoa(token)}`]) {
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      for (const path of ["/registrations", "/registrations/sip:a@b", "/events", "/counts", "/x"]) {
        const { status } = await fetch(site + path, { headers });
        expect([path, status]).toEqual([
          path,
          expect.toSatisfy((n: number) => n === 401 || n === 400),
        ]);
      }
      const gone = await fetch(`${site}/registrations/sip:alice@example.com`, {
        headers,
        method: "DELETE",
      });
      expect(gone.ok).toBe(false);
    }
    for (const query of [`?token=${token}`, `?access_token=${token}`]) {
      expect((await fetch(`${site}/registrations${query}`)).status).toBe(401);
    }
    const page = await fetch(`${site}/`);
    const text = await page.text();
    expect(text).not.toContain(token);
    expect(page.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; script-src 'sha256-/,
    );
    expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
  });

  it("refuses what is malformed", async () => {
    for (const query of [
      "limit=0",
      "limit=1001",
      "limit=x",
      "limit=",
      "after=x",
      "after=",
      "after=%00",
    ]) {
      expect([query, (await ask(`/registrations?${query}`)).status]).toEqual([query, 400]);
    }
    for (const user of ["%", "%ff", "%00", "..%2f..", "x".repeat(8000), "sip:alice@example.org"]) {
      expect([user, (await ask(`/registrations/${user}`)).status]).toEqual([user, 404]);
    }
    expect(await program.end("SIGTERM")).toBe(0);
  });
});
