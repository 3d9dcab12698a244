import { Request } from "@sipkit/core";
import { describe, expect, it } from "vitest";
import { type AlgorithmChoice, algorithmsOf } from "./algorithm-choice.ts";

const from = (agent?: string): Request =>
  new Request("REGISTER", "sip:example.com", {
    headers: agent === undefined ? {} : { "User-Agent": agent },
  });

describe("which algorithms are offered", () => {
  it("the same to everybody, also when the list changes afterwards", () => {
    const list: ("MD5" | "SHA-256")[] = ["SHA-256", "MD5"];
    const { of, hashes } = algorithmsOf(list);
    list.pop();
    expect(of(from())).toEqual(["SHA-256", "MD5"]);
    expect(hashes).toEqual(["SHA-256", "MD5"]);
  });

  it.each([
    ["baresip v1.0.0 (x86_64/Linux)", ["MD5"]],
    ["BARESIP V1.0.0", ["MD5"]],
    ["baresip v2.0.0", ["SHA-256-sess"]],
    ["my baresip v1.0", ["SHA-256"]],
    ["*", ["SHA-256"]],
    ["", ["SHA-256"]],
    [undefined, ["SHA-256"]],
  ])("by what a User-Agent begins with: %j", (agent, expected) => {
    const { of, hashes } = algorithmsOf({
      "baresip v1.0": ["MD5"],
      baresip: ["SHA-256-sess"],
      "*": ["SHA-256"],
    });
    expect(of(from(agent))).toEqual(expected);
    expect(hashes.toSorted()).toEqual(["MD5", "SHA-256"]);
  });

  it("by a function of the request", () => {
    const { of } = algorithmsOf((request) =>
      request.headers.has("User-Agent") ? ["SHA-512-256"] : ["MD5"],
    );
    expect(of(from("a phone"))).toEqual(["SHA-512-256"]);
    expect(of(from())).toEqual(["MD5"]);
  });

  it.each<[string, unknown]>([
    ["none", []],
    ["one twice", ["MD5", "MD5"]],
    ["an unknown one", ["MD4"]],
    ["a table without a star", { baresip: ["MD5"] }],
    ["a table with none for one", { baresip: [], "*": ["MD5"] }],
  ])("are refused: %s", (_name, choice) => {
    expect(() => algorithmsOf(choice as AlgorithmChoice)).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });

  it.each<[string, unknown]>([
    ["none", []],
    ["nothing", undefined],
    ["an unknown one", ["MD4"]],
  ])("are refused when a function gives %s", (_name, given) => {
    const { of } = algorithmsOf(() => given as never);
    expect(() => of(from())).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
  });
});
