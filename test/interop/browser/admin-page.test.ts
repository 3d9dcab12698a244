import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../free-port.ts";
import { endPrograms, Program } from "../program.ts";
import { digest, RawPhone } from "../raw-phone.ts";
import { openBrowser } from "./browser-phone.ts";

const ROOT = new URL("../../..", import.meta.url).pathname;
const HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  await endPrograms();
});

it("examples/admin shows live registrations as text, and removes one at a click", async () => {
  const [sip, http] = [await freePort(), await freePort()];
  const run = ["--conditions=@sipkit/source", "--import=tsx", "examples/admin/main.ts"];
  const program = new Program(process.execPath, [...run, `${sip}`, `${http}`], { cwd: ROOT });
  const [, address = ""] = await program.printed(/registrations at (\S+)\n/, 50_000);

  const page = await browser.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  await page.goto(address);
  await page.getByText("Live.").waitFor();
  expect(page.url()).toBe(`http://127.0.0.1:${http}/`);

  const phone = await RawPhone.open({ host: "127.0.0.1", port: sip });
  const quoted = HOSTILE.replaceAll('"', '\\"');
  const lines = [
    `Contact: "${quoted}" <sip:alice%3Cscript%3E@127.0.0.1:5070>;note="${quoted}"`,
    `User-Agent: ${HOSTILE}`,
  ];
  const register = { user: "alice", callId: "hostile", lines };
  const challenged = await phone.register({ ...register, cseq: 1 });
  const authorization = digest(challenged, { user: "alice", password: "secret" });
  expect((await phone.register({ ...register, cseq: 2, authorization })).status).toBe(200);

  const row = page.locator("#rows tr");
  await row.waitFor();
  expect(await row.locator("td").allTextContents()).toMatchObject([
    "sip:alice@example.com",
    expect.stringContaining(HOSTILE.replaceAll('"', '\\"')),
    expect.stringMatching(/^udp 127\.0\.0\.1:\d+$/),
    HOSTILE,
    "",
    expect.any(String),
    "Remove",
  ]);
  await page.reload();
  await row.waitFor();
  expect(await page.locator("img, #rows script").count()).toBe(0);
  expect(await page.title()).toBe("Registrations");

  await row.getByText("Remove").click();
  await page.getByText("removed sip:alice@example.com").waitFor();
  expect(await row.count()).toBe(0);
  expect(await phone.bindings("alice")).toEqual([]);
  expect(faults).toEqual([]);
  phone.close();
  await program.end("SIGTERM");
});
