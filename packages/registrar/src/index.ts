export type { Binding } from "./binding.ts";
export type { CurrentBinding } from "./binding-targets.ts";
export type { BindingEvent, BindingEventName, RegistrarEvents } from "./events.ts";
export type { BindingChange, ExpiredBinding, LocationStore } from "./location-store.ts";
export { type MemoryStore, type MemoryStoreOptions, memoryStore } from "./memory-store.ts";
export { Registrar } from "./registrar.ts";
export type { KnownUsers, RegistrarOptions } from "./registrar-options.ts";
export { StoreUnavailable, type StoreUnavailableOptions } from "./store-unavailable.ts";
