export { ask } from "./testing/ask.ts";
export { completeRequest } from "./testing/complete.ts";
export {
  type MemoryMessage,
  MemoryNetwork,
  type MemoryNetworkOptions,
} from "./testing/memory-network.ts";
export type { MemoryTransport } from "./testing/memory-transport.ts";
export {
  type Answer,
  type AskOptions,
  TestServer,
  type TestServerOptions,
} from "./testing/test-server.ts";
export { VirtualClock } from "./testing/virtual-clock.ts";
