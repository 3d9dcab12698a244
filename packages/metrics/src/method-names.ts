import { isDefinedMethod, type Method } from "@sipkit/core";

/** What all other methods are called: a stranger invents as many as he likes, and each would be a time series. */
const OTHER = "_OTHER";

/** A method as the value of an attribute. */
export function methodName(method: Method): string {
  return isDefinedMethod(method) ? method : OTHER;
}
