import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { tortureMessages } from "./torture-messages.ts";

const VECTORS = new URL("../../../../../test/vectors/rfc4475/", import.meta.url);

it("tortureMessages are the 49 of RFC 4475, byte for byte", () => {
  const { messages } = JSON.parse(readFileSync(new URL("index.json", VECTORS), "utf8")) as {
    readonly messages: readonly { readonly name: string; readonly file: string; scored: boolean }[];
  };
  const archived = messages.filter(({ scored }) => scored);
  expect([...tortureMessages.keys()]).toEqual(archived.map(({ name }) => name));
  for (const { name, file } of archived) {
    expect(tortureMessages.get(name)).toBe(readFileSync(new URL(file, VECTORS), "latin1"));
  }
  expect(tortureMessages.size).toBe(49);
});
