import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";

/** Headless Chromium with a microphone that beeps. It takes any certificate. */
export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--ignore-certificate-errors",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--allow-loopback-in-peer-connection",
    ],
  });
}

/** A site on loopback, which browsers trust with the microphone, of one page that is a phone. */
export class PhoneSite {
  readonly #server: Server;
  readonly origin: string;

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(): Promise<PhoneSite> {
    const { outputFiles } = await build({
      entryPoints: [new URL("phone.ts", import.meta.url).pathname],
      bundle: true,
      write: false,
      platform: "browser",
      logLevel: "silent",
    });
    const script = outputFiles[0]?.text ?? "";
    const server = createServer(({ url }, response) => {
      const [type, text] =
        url === "/phone.js"
          ? ["text/javascript", script]
          : ["text/html", '<!doctype html><title>phone</title><script src="phone.js"></script>'];
      response.writeHead(200, { "Content-Type": type }).end(text);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new PhoneSite(server);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** A phone in a page of its own. */
export class BrowserPhone {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  /** Starts to register with the server at that URL. */
  static async start(
    browser: Browser,
    { origin }: PhoneSite,
    url: string,
    user: string,
  ): Promise<BrowserPhone> {
    const page = await browser.newPage();
    await page.goto(origin);
    await page.evaluate(`phone.start(${JSON.stringify(url)}, ${JSON.stringify(user)}, "secret")`);
    return new BrowserPhone(page);
  }

  async call(user: string): Promise<void> {
    await this.#page.evaluate(`phone.call(${JSON.stringify(user)})`);
  }

  async hangUp(): Promise<void> {
    await this.#page.evaluate("phone.hangUp()");
  }

  async unregister(): Promise<void> {
    await this.#page.evaluate("phone.unregister()");
  }

  /** Waits until that has happened; fails with what has, after 40 s. */
  async saw(event: string): Promise<void> {
    const name = JSON.stringify(event);
    try {
      await this.#page.waitForFunction(`phone.events.includes(${name})`, undefined, {
        timeout: 40_000,
      });
    } catch (cause) {
      const events = await this.#page.evaluate("phone.events.join(', ')");
      throw new Error(`no ${event}, but ${events}`, { cause });
    }
  }
}
