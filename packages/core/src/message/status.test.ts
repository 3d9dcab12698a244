import { expect, it } from "vitest";
import { reasonPhrase } from "./status.ts";

it("knows the phrases of RFC 3261 §21, and a class's name for the others", () => {
  expect(reasonPhrase(100)).toBe("Trying");
  expect(reasonPhrase(486)).toBe("Busy Here");
  expect(reasonPhrase(606)).toBe("Not Acceptable");
  expect(reasonPhrase(299)).toBe("Success");
  expect(reasonPhrase(499)).toBe("Client Error");
  expect(reasonPhrase(799)).toBe("Unknown");
});
