import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { authorize } from "@sipkit/auth";
import { Dispatcher, parsePacket, Request } from "@sipkit/core";
import { completeRequest } from "@sipkit/core/testing";
import { afterEach, describe, expect, it, vi } from "vitest";
import { readOptions as readClusterOptions } from "../../examples/cluster/options.ts";
import { certificatePath } from "../certificates/certificates.ts";

// Each example is a process that compiles itself first.
vi.setConfig({ testTimeout: 60_000 });

const ROOT = new URL("../..", import.meta.url).pathname;
const running: ChildProcess[] = [];

interface Started {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves when the output matches; rejects when the example ends first. */
  says(pattern: RegExp): Promise<string>;
}

/** Starts an example as its head comment says, for the time of one test. */
function start(example: string, ...args: readonly string[]): Started {
  return startWith({}, example, ...args);
}

/** Starts an example with more modules loaded before it, or other variables. */
function startWith(
  { imports = [], env = {} }: { imports?: readonly string[]; env?: Record<string, string> },
  example: string,
  ...args: readonly string[]
): Started {
  const isServer = example === "registrar" && !args.includes("--store");
  const store = isServer ? ["--store", "memory"] : [];
  const loaded = ["tsx", ...imports].map((name) => `--import=${name}`);
  const child = spawn(
    process.execPath,
    [...loaded, "--conditions=@sipkit/source", `examples/${example}/main.ts`, ...store, ...args],
    { cwd: ROOT, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] },
  );
  running.push(child);
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      for (const look of listeners) look();
    });
  }
  child.on("close", () => {
    for (const look of listeners) look();
  });
  return {
    child,
    output: () => output,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(output);
          if (found !== null) resolve(found[0]);
          else if (child.exitCode === null && child.signalCode === null) return;
          else reject(new Error(`${example} ended without ${pattern}: ${output}`));
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
  };
}

async function stop({ child }: Started): Promise<number | null> {
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

/** A port that is free for TCP just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Sends a request over UDP and gives the first line of what comes back; `""` when nothing does in its time. */
async function exchange(port: number, text: string, patience = 10_000): Promise<string> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const via = `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bK${socket.address().port}`;
  socket.send(completeRequest(`${text}\n${via}`), port, "127.0.0.1");
  const timer = setTimeout(() => socket.emit("message", Buffer.alloc(0)), patience);
  const [answer] = (await once(socket, "message")) as [Buffer];
  clearTimeout(timer);
  socket.close();
  return answer.toString("latin1").split("\r\n", 1)[0] ?? "";
}

/** Registers with a password at a server, and gives the last status. */
async function registerAs(
  phone: Dispatcher,
  to: string,
  user: string,
  password: string,
): Promise<number> {
  const address = `<sip:${user}@example.com>`;
  const lines = [`From: ${address};tag=1`, `To: ${address}`, `Call-ID: ${user}-${password}`];
  const request = Request.parse(
    completeRequest(["REGISTER sip:example.com SIP/2.0", ...lines].join("\n")),
  );
  const challenge = await phone.request(request, { to }).final;
  expect(await authorize(request, challenge, [user, password])).toBe(true);
  return (await phone.request(request, { to }).final).status;
}

afterEach(() => {
  for (const child of running.splice(0)) child.kill("SIGKILL");
});

describe("examples/registrar", () => {
  it("prints what it listens on, its demo users and what to type, serves, and ends on SIGTERM", async () => {
    const port = await freePort();
    const listen = ["--listen", `udp:127.0.0.1:${port}`, "--listen", `tcp:127.0.0.1:${port}`];
    const example = start("registrar", ...listen);
    await example.says(/try: sipsak -U.*\n/);
    expect(example.output()).toContain(`listening on udp:127.0.0.1:${port}\n`);
    expect(example.output()).toContain(`listening on tcp:127.0.0.1:${port}\n`);
    expect(example.output()).toContain("registrations are kept in memory");
    expect(example.output()).toContain("demo user sip:alice@example.com");
    expect(await exchange(port, "OPTIONS sip:example.com SIP/2.0")).toBe("SIP/2.0 200 OK");
    const register = "REGISTER sip:example.com SIP/2.0\nContact: <sip:alice@127.0.0.1>";
    expect(await exchange(port, register)).toBe("SIP/2.0 401 Unauthorized");
    expect(await stop(example)).toBe(0);
  });

  it("bans who guesses passwords, and says so", async () => {
    const port = await freePort();
    const listen = ["--listen", `udp:127.0.0.1:${port}`];
    const example = start("registrar", ...listen, "--allow", "192.0.2.0/24");
    await example.says(/try: sipsak -U.*\n/);
    const guesser = new Dispatcher({ legs: ["udp:127.0.0.1:0"] });
    await guesser.listen();
    const to = `sip:127.0.0.1:${port}`;
    for (let guess = 0; guess < 20; guess += 1) {
      expect(await registerAs(guesser, to, `u${guess}`, "guess")).toBe(401);
    }
    await example.says(/sipkit auth failure from=127\.0\.0\.1 user=u19 reason=credentials/);
    await example.says(/^banned 127\.0\.0\.1 for 60 s$/m);
    expect(await exchange(port, "OPTIONS sip:example.com SIP/2.0", 300)).toBe("");
    await guesser.close();
    expect(await stop(example)).toBe(0);
  });

  it.each([
    [
      "demo users beyond loopback",
      ["--listen", "udp:0.0.0.0:0", "--advertise", "sip.example.com"],
      /loopback/,
    ],
    ["an address that is none", ["--allow", "localhost"], /IP addresses/],
    ["a user without a password", ["--user", "alice"], /NAME:PASSWORD/],
    ["a time that is none", ["--min-expires", "soon"], /number of seconds/],
    ["a leg that is none", ["--listen", "upd:127.0.0.1:0"], /udp:/],
    ["a store that is none", ["--store", "lmbd:data"], /memory, lmdb:DIR or redis/],
    ["a folder that is none", ["--store", "lmdb:package.json"], /package\.json.* EEXIST/],
    ["a flag that nobody knows", ["--colour"], /--colour/],
    ["a tls leg without a certificate", ["--listen", "tls:127.0.0.1:0"], /openssl req -x509/],
    [
      "a certificate that isn't there",
      ["--listen", "wss:127.0.0.1:0", "--cert", "no-file", "--key", "no-file"],
      /no-file/,
    ],
  ])("refuses %s in a line and tells how it is used", async (_what, args, line) => {
    const example = start("registrar", ...args);
    await example.says(/Usage:/);
    const [code] = example.child.exitCode === null ? await once(example.child, "exit") : [1];
    expect(code).toBe(1);
    expect(example.output()).toMatch(line);
    expect(example.output()).not.toContain("    at ");
  });
});

describe("examples/registrar over TLS", () => {
  it("shows what is in its certificate files, and reads them again on SIGHUP", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sipkit-example-"));
    const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
    const put = async (name: string): Promise<void> => {
      await copyFile(certificatePath(name, "cert"), files.cert);
      await copyFile(certificatePath(name, "key"), files.key);
    };
    await put("example");
    const port = await freePort();
    const paths = ["--cert", files.cert, "--key", files.key];
    const example = start("registrar", "--listen", `tls:127.0.0.1:${port}`, ...paths);
    await example.says(/demo user sip:bob@example\.com.*;transport=tls\n/);
    expect(await shownBy(port)).toBe("server.example.com");

    await put("other");
    example.child.kill("SIGHUP");
    await example.says(/SIGHUP: new certificates\n/);
    expect(await shownBy(port)).toBe("other.example.com");

    await writeFile(files.key, "no key");
    example.child.kill("SIGHUP");
    await example.says(/SIGHUP: the old certificates stay: SipError: .*\n/);
    expect(await shownBy(port)).toBe("other.example.com");
    expect(await stop(example)).toBe(0);
    await rm(folder, { recursive: true });
  });

  /** The common name that a server shows. */
  async function shownBy(port: number): Promise<unknown> {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return subject.CN;
  }
});

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

describe("DEBUG=sipkit:*", () => {
  it("prints a line a packet, a verdict and a transaction, and no credentials", async () => {
    const port = await freePort();
    const listen = ["--listen", `udp:127.0.0.1:${port}`, "--listen", `tcp:127.0.0.1:${port}`];
    const server = startWith({ env: { DEBUG: "sipkit:*" } }, "registrar", ...listen);
    await server.says(/try: sipsak -U.*\n/);
    const client = start("register-client", "--server", `sip:127.0.0.1:${port};transport=tcp`);
    await client.says(/is registered for 60 s/);
    await exchange(port, "nonsense SIP/2.0");
    await server.says(/sipkit:malformed .*\n/);
    const out = server.output();
    expect(out).toMatch(/sipkit:connection +tcp 127\.0\.0\.1:[0-9]+ +accepted #1\n/);
    expect(out).toMatch(/sipkit:packet +<- tcp [0-9.:]+ +REGISTER sip:example\.com +1 REGISTER /);
    expect(out).toMatch(/sipkit:chain +Authorize +401 Unauthorized +1 REGISTER .* ms\n/);
    expect(out).toMatch(/sipkit:packet +-> tcp [0-9.:]+ +401 Unauthorized +1 REGISTER .* B\n/);
    expect(out).toMatch(/sipkit:transaction <- tcp [0-9.:]+ +REGISTER answered: 401 .* ms\n/);
    expect(out).toMatch(/sipkit:chain +Registrar +200 OK +2 REGISTER /);
    expect(out).not.toMatch(/Digest|nonce|response=/);
    expect(await stop(client)).toBe(0);
    expect(await stop(server)).toBe(0);
  });
});
