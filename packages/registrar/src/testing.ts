export {
  type CreateLocationStore,
  describeLocationStore,
  type TestFunctions,
} from "./suite/location-store.ts";
export { sampleBinding } from "./suite/samples.ts";
