import { execFile, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = new URL("../../", import.meta.url).pathname;
let project = "";

/** Packs what `pnpm build` has built and installs the tarballs outside the workspace. */
beforeAll(async () => {
  if (!existsSync(join(root, "packages/core/dist/index.js"))) {
    throw new Error("nothing is built: run pnpm build first");
  }
  project = await mkdtemp(join(tmpdir(), "sipkit-packed-"));
  await cp(join(root, "test/packed/project"), project, { recursive: true });
  const pnpm = ["--yes", "pnpm@12", "--filter", "./packages/*"];
  await run("npx", [...pnpm, "pack", "--pack-destination", project], root);
  const tarballs = (await readdir(project)).filter((name) => name.endsWith(".tgz"));
  expect(tarballs).toHaveLength(7);
  await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }');
  const files = tarballs.map((name) => `./${name}`);
  await run("npm", ["install", "--no-audit", "--no-fund", ...files], project);
}, 180_000);

afterAll(() => rm(project, { recursive: true, force: true }));

/** Runs to its end; a failure shows what was printed. */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: "" };
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env, timeout: 170_000 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** The TypeScript of README.md, block by block. */
async function readmeBlocks(): Promise<string[]> {
  const readme = await readFile(join(root, "README.md"), "utf8");
  return [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, block = ""]) => block);
}

/** Starts a server under plain node, asks it for OPTIONS, ends it; gives the answer's first line. */
async function serve(file: string, port: number): Promise<string> {
  const server = spawn(process.execPath, [file], {
    cwd: project,
    env: { ...process.env, NODE_OPTIONS: "" },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(server, "exit");
  try {
    return await statusOfOptions(port);
  } finally {
    server.kill("SIGTERM");
    const giveUp = setTimeout(() => server.kill("SIGKILL"), 10_000);
    const [code] = await exited;
    clearTimeout(giveUp);
    expect(code).toBe(0);
  }
}

describe("The packed packages", () => {
  it("serve SIP under plain node", async () => {
    const port = await freePort();
    const text = await readFile(join(project, "server.js"), "utf8");
    await writeFile(join(project, "server.js"), text.replaceAll(":5060", `:${port}`));
    expect(await serve("server.js", port)).toBe("SIP/2.0 200 OK");
  });

  it("serve SIP by the README's server, which challenges who asks", async () => {
    const port = await freePort();
    const block = (await readmeBlocks()).find((text) => text.includes("new Dispatcher"));
    await writeFile(join(project, "readme.js"), block?.replaceAll(":5060", `:${port}`) ?? "");
    expect(await serve("readme.js", port)).toBe("SIP/2.0 401 Unauthorized");
  });

  it("type-check a handler and the README, their own declarations included", async () => {
    const blocks = (await readmeBlocks()).filter((text) => !text.includes('from "vitest"'));
    expect(blocks.length).toBeGreaterThan(1);
    const files = blocks.map((_, n) => `readme-${n}.ts`);
    await Promise.all(files.map((file, n) => writeFile(join(project, file), blocks[n] ?? "")));
    expect(await typeErrors(["handler.ts", ...files])).toBe("");
  });

  it("type-check no handler that gives a wrong verdict", async () => {
    const wrong = 'import { onRequest } from "@sipkit/core";\nonRequest("INVITE", () => 486);\n';
    await writeFile(join(project, "wrong.ts"), wrong);
    expect(await typeErrors(["wrong.ts"])).toContain("wrong.ts(2,");
  });
});

/** What the workspace's compiler says of files of the scratch project, strictly. */
async function typeErrors(files: readonly string[]): Promise<string> {
  const compilerOptions = {
    target: "ES2023",
    lib: ["ES2023"],
    module: "NodeNext",
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const tsc = [join(root, "node_modules/typescript/bin/tsc"), "--pretty", "false", "-p", "."];
  const result = promisify(execFile)(process.execPath, tsc, { cwd: project, timeout: 60_000 });
  return result.then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  );
}

/** A UDP port of 127.0.0.1 that is free just now, on TCP too but for bad luck. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** The first line of the answer to an OPTIONS that is repeated until the server listens. */
async function statusOfOptions(port: number): Promise<string> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const options = [
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};branch=z9hG4bKpacked`,
    "Max-Forwards: 70",
    "From: <sip:probe@127.0.0.1>;tag=1",
    `To: <sip:127.0.0.1:${port}>`,
    "Call-ID: packed",
    "CSeq: 1 OPTIONS",
    "Content-Length: 0",
    "",
    "",
  ];
  const send = (): void => socket.send(options.join("\r\n"), port, "127.0.0.1");
  const repeat = setInterval(send, 100);
  try {
    const [datagram] = await once(socket, "message", { signal: AbortSignal.timeout(20_000) });
    return String(datagram).split("\r\n", 1)[0] ?? "";
  } finally {
    clearInterval(repeat);
    socket.close();
  }
}
