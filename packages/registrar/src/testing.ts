export {
  type CreateLocationStore,
  describeLocationStore,
  type TestFunctions,
} from "./suite/location-store.ts";
export { sampleBinding } from "./suite/samples.ts";
export {
  type CreateStorePair,
  describeSharedLocationStore,
  type StorePair,
} from "./suite/shared-store.ts";
