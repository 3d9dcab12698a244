import { execFile, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
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
  expect(tarballs).toHaveLength(4);
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

describe("The packed packages", () => {
  it("serve SIP under plain node", async () => {
    const server = spawn(process.execPath, ["server.js"], {
      cwd: project,
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(server, "exit");
    try {
      const [greeting] = await once(server.stdout.setEncoding("utf8"), "data");
      const port = Number(/^listening on (\d+)$/m.exec(greeting)?.[1]);
      expect(await statusOfOptions(port)).toBe("SIP/2.0 200 OK");
    } finally {
      server.kill("SIGTERM");
      const giveUp = setTimeout(() => server.kill("SIGKILL"), 10_000);
      const [code] = await exited;
      clearTimeout(giveUp);
      expect(code).toBe(0);
    }
  });

  it("type-check a handler, their own declarations included", async () => {
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
    const config = { compilerOptions, files: ["handler.ts"] };
    await writeFile(join(project, "tsconfig.json"), JSON.stringify(config));
    await run(join(root, "node_modules/.bin/tsc"), ["-p", "."], project);

    await writeFile(
      join(project, "handler.ts"),
      'import { onRequest } from "@sipkit/core";\nonRequest("INVITE", () => 486);\n',
    );
    await expect(run(join(root, "node_modules/.bin/tsc"), ["-p", "."], project)).rejects.toThrow(
      "error TS",
    );
  });
});

/** The first line of the answer to an OPTIONS. */
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
  try {
    socket.send(options.join("\r\n"), port, "127.0.0.1");
    const [datagram] = await once(socket, "message", { signal: AbortSignal.timeout(10_000) });
    return String(datagram).split("\r\n", 1)[0] ?? "";
  } finally {
    socket.close();
  }
}
