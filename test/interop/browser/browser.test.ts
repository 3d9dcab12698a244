import type { Browser } from "playwright-core";
import { afterEach, beforeEach, describe, inject, it } from "vitest";
import { certificatePath } from "../../certificates/certificates.ts";
import { freePort } from "../free-port.ts";
import { endPrograms } from "../program.ts";
import { type Server, startServer, users } from "../start-server.ts";
import { BrowserPhone, openBrowser, PhoneSite } from "./browser-phone.ts";

const missing = inject("missingTools").includes("chromium");

describe.skipIf(missing)("phones in a browser, over secure WebSocket", () => {
  let server: Server;
  let url: string;
  let browser: Browser;
  let site: PhoneSite;

  beforeEach(async () => {
    const address = `127.0.0.1:${await freePort()}`;
    url = `wss://${address}`;
    server = await startServer(
      ...users("alice", "bob", "carol"),
      ...["--listen", `wss:${address}`],
      ...["--cert", certificatePath("example", "cert")],
      ...["--key", certificatePath("example", "key")],
    );
    await server.program.printed(new RegExp(`wss:${address}`));
    browser = await openBrowser();
    site = await PhoneSite.open();
  });

  afterEach(async () => {
    await browser?.close();
    site?.close();
    await endPrograms();
  });

  it("register, call each other, hang up and unregister", async () => {
    const alice = await BrowserPhone.start(browser, site, url, "alice");
    const bob = await BrowserPhone.start(browser, site, url, "bob");
    const carol = await BrowserPhone.start(browser, site, url, "carol");
    for (const phone of [alice, bob, carol]) await phone.saw("registered");
    await alice.call("bob");
    for (const phone of [alice, bob]) await phone.saw("confirmed");
    await bob.hangUp();
    for (const phone of [alice, bob]) await phone.saw("ended");
    await carol.unregister();
    await carol.saw("unregistered");
    await server.program.printed(/removed sip:carol@example\.com/);
    await server.stop();
  });
});
