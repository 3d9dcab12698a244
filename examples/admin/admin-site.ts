import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { SipError } from "@sipkit/core";
import { type Registrar, StoreUnavailable } from "@sipkit/registrar";
import { type Context, Hono } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { bindingView } from "./binding-view.ts";
import type { EventStreams } from "./event-streams.ts";

export interface AdminSiteOptions {
  readonly registrar: Registrar;
  readonly streams: EventStreams;
  /** What every request but the one for the page must show. */
  readonly token: string;
}

const PAGE = readFileSync(new URL("page.html", import.meta.url), "utf8");

/** The browser runs this page's own script and no other, and lets it speak to us alone. */
const PAGE_HEADERS = {
  "Content-Security-Policy": [
    `default-src 'none'; script-src ${hashOf("script")}; style-src ${hashOf("style")}`,
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ].join("; "),
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
};

/** A registrar's registrations over HTTP. */
export function adminSite({ registrar, streams, token }: AdminSiteOptions): Hono {
  const site = new Hono();

  // The page says nothing of anybody. A browser can't send the token before it has the page.
  site.get("/", (c) => c.html(PAGE, 200, PAGE_HEADERS));

  // No cookie: a strange site that sends a request from the operator's browser has no token to put on it.
  site.use("*", bearerAuth({ token }), async (c, next) => {
    await next();
    c.header("Cache-Control", "no-store");
    c.header("X-Content-Type-Options", "nosniff");
  });

  site.get("/counts", async (c) => c.json(await registrar.counts()));

  site.get("/registrations", async (c) => {
    const { after, limit = "100" } = c.req.query();
    if (!/^[0-9]{1,4}$/.test(limit)) return c.json({ error: "limit is a number" }, 400);
    const { users, next } = await registrar.list({ after, limit: Number(limit) });
    const views = users.map((user) => ({ ...user, bindings: user.bindings.map(bindingView) }));
    return c.json({ users: views, next });
  });

  site.get("/registrations/:user", async (c) => {
    const bindings = await registrar.query(c.req.param("user"));
    if (bindings.length === 0) return c.json({ error: "no bindings" }, 404);
    return c.json({ bindings: bindings.map(bindingView) });
  });

  const remove = async (c: Context, user: string, id?: string): Promise<Response> => {
    const removed = await registrar.remove(user, { id, by: "admin" });
    if (removed.length === 0) return c.json({ error: "no such binding" }, 404);
    return c.json({ removed: removed.map(bindingView) });
  };
  site.delete("/registrations/:user", (c) => remove(c, c.req.param("user")));
  site.delete("/registrations/:user/:id", (c) => remove(c, c.req.param("user"), c.req.param("id")));

  site.get("/events", (c) => {
    const stream = streams.open();
    if (stream === undefined) return c.json({ error: "too many listen already" }, 503);
    return c.body(stream, 200, { "Content-Type": "text/event-stream" });
  });

  site.onError((error, c) => {
    // The bearer check throws the answer that it wants.
    if ("getResponse" in error && typeof error.getResponse === "function") {
      return error.getResponse() as Response;
    }
    if (error instanceof StoreUnavailable) {
      c.header("Retry-After", String(error.retryAfter));
      return c.json({ error: "the location store is away" }, 503);
    }
    const isAsked = error instanceof SipError && /^SIP_BAD_(?:CURSOR|OPTION)$/.test(error.code);
    if (!isAsked) console.error(error);
    return c.json({ error: isAsked ? error.message : "failed" }, isAsked ? 400 : 500);
  });
  return site;
}

/** What a Content-Security-Policy calls the page's one element of a name. */
function hashOf(element: string): string {
  const text = PAGE.split(`<${element}>`)[1]?.split(`</${element}>`)[0] ?? "";
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
