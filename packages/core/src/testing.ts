export { ask } from "./testing/ask.ts";
export { completeRequest } from "./testing/complete.ts";
export type { Duration } from "./testing/duration.ts";
export type { LinkConditions } from "./testing/links.ts";
export { SeededRandom } from "./testing/seeded-random.ts";
export { describeHandler, type HandlerSuiteOptions } from "./testing/suite/describe-handler.ts";
export type { CreateHandler } from "./testing/suite/handler-check.ts";
export type { TestFunctions } from "./testing/suite/test-functions.ts";
export { tortureMessages } from "./testing/suite/torture-messages.ts";
export {
  type Answer,
  type AskOptions,
  TestServer,
  type TestServerOptions,
} from "./testing/test-server.ts";
export { VirtualClock } from "./testing/virtual-clock.ts";
export type { HostLeg, HostServerOptions, VirtualHost } from "./testing/virtual-host.ts";
export type { Fate, MessageFilter, VirtualMessage } from "./testing/virtual-message.ts";
export { VirtualNetwork, type VirtualNetworkOptions } from "./testing/virtual-network.ts";
export type {
  NodeError,
  NodeFactory,
  NodeOptions,
  VirtualNode,
} from "./testing/virtual-node.ts";
export type { VirtualTransport } from "./testing/virtual-transport.ts";
