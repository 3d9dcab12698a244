import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { authorize } from "@sipkit/auth";
import { type Dispatcher, Request } from "@sipkit/core";
import { completeRequest } from "@sipkit/core/testing";
import { afterEach, expect, vi } from "vitest";

const ROOT = new URL("../..", import.meta.url).pathname;
const running: ChildProcess[] = [];

export interface Started {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves when the output matches; rejects when the example ends first. */
  says(pattern: RegExp): Promise<string>;
}

/** Starts an example as its head comment says, for the time of one test. */
export function start(example: string, ...args: readonly string[]): Started {
  return startWith({}, example, ...args);
}

/** Starts an example with more modules loaded before it, or other variables. */
export function startWith(
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

export async function stop({ child }: Started): Promise<number | null> {
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

/** A port that is free for TCP just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Sends a request over UDP and gives the first line of what comes back; `""` when nothing does in its time. */
export async function exchange(port: number, text: string, patience = 10_000): Promise<string> {
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
export async function registerAs(
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

/** To be called once in a file of tests: each example is a process, which compiles itself first and ends with its test. */
export function useExamples(): void {
  vi.setConfig({ testTimeout: 60_000 });
  afterEach(() => {
    for (const child of running.splice(0)) child.kill("SIGKILL");
  });
}
