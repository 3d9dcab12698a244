export type { ApprovalTerms, Approve, RegistrationPlan } from "./approval.ts";
export type { Binding } from "./binding.ts";
export type { AttributesOf } from "./binding-attributes.ts";
export { bindingId } from "./binding-id.ts";
export type { CurrentBinding } from "./binding-targets.ts";
export type { NextHopRule } from "./contact-flow.ts";
export type { Matching } from "./contact-key.ts";
export type {
  BindingEvent,
  BindingEventName,
  ReachabilityEvent,
  ReachabilityEventName,
  RegistrarEvents,
  RemovalReason,
} from "./events.ts";
export type { ListOptions, RegisteredUser, RegistrationPage } from "./listing.ts";
export type {
  BindingChange,
  ExpiredBinding,
  ListRange,
  LocationStore,
  StoreCounts,
  StoredUser,
  UserPage,
} from "./location-store.ts";
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from "./memory-store.ts";
export { MidRegistrar } from "./mid-registrar/mid-registrar.ts";
export type { MidRegistrarOptions } from "./mid-registrar/mid-registrar-options.ts";
export type { UpstreamClient } from "./mid-registrar/upstream.ts";
export type { MidRegistrarMode } from "./mid-registrar/upstream-update.ts";
export { type PushDevice, withoutPush } from "./push/push-device.ts";
export type { PushHook, PushNotification, PushOptions } from "./push/push-options.ts";
export type { Reachability } from "./qualify/ping-states.ts";
export type {
  QualifiedBindings,
  QualifyOptions,
  WhenUnreachable,
} from "./qualify/qualify-options.ts";
export type { MaySubscribe, RegEventsOptions } from "./reg-event/options.ts";
export { RegEvents, type RegEventsCounts } from "./reg-event/reg-events.ts";
export type { PathMode } from "./register-facts.ts";
export type { WhenFull } from "./register-update.ts";
export { Registrar, type RegistrarCounts } from "./registrar.ts";
export type { KnownUsers, RegistrarOptions } from "./registrar-options.ts";
export type { RemoveOptions } from "./removal.ts";
export { StoreUnavailable, type StoreUnavailableOptions } from "./store-unavailable.ts";
export { userUri } from "./user-uri.ts";
