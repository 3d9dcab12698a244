/**
 * A storm of phones in a process of its own: `storm-main.ts PORT SOCKETS`. Told a `StormOrder` by its parent, it tells
 * what came of it.
 */
import { Storm, type StormOrder } from "./storm.ts";

const [port, sockets] = process.argv.slice(2).map(Number);
const storm = await Storm.open(port ?? 0, sockets ?? 1);
process.send?.("ready");
process.on("message", (order: StormOrder) => {
  void storm.run(order).then((report) => process.send?.(report));
});
process.on("disconnect", () => process.exit());
