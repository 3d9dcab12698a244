import { type AnyHandler, type Handler, wrap } from "@sipkit/core";

/** Measures how long a handler takes for each packet, its waiting included. */
export function timed(
  inner: AnyHandler,
  report: (name: string, milliseconds: number) => void,
): Handler {
  const handler: Handler = wrap(inner, async (next) => {
    const began = performance.now();
    try {
      return await next();
    } finally {
      report(handler.name ?? "handler", performance.now() - began);
    }
  });
  return handler;
}
