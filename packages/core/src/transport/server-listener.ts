import { isIP, type Server } from "node:net";
import type { Door, Listener } from "./carrier.ts";

/** Listens with a server of our own. */
export function serverListener(server: Server, door: Pick<Door, "acceptFailed">): Listener {
  return {
    listen({ address, port, reusePort = false }) {
      return new Promise((resolve, reject) => {
        server.once("error", reject);
        const options = { host: address, port, ipv6Only: isIP(address) === 6, exclusive: true };
        server.listen(reusePort ? { ...options, reusePort } : options, () => {
          server.off("error", reject);
          server.on("error", () => door.acceptFailed());
          const bound = server.address();
          resolve(typeof bound === "object" && bound !== null ? bound : { address, port });
        });
      });
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
