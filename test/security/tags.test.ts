import { describe, expect, it } from "vitest";
import { GuardedServer } from "./guarded-server.ts";
import { type Lines, message } from "./message.ts";

const INVITE = "INVITE sip:bob@example.com";

/** That a request with these lines gets 400 before any handler sees it, or no answer where there is nobody to answer. */
async function expectMalformed(lines: Lines, isAnswered = true): Promise<void> {
  const server = await GuardedServer.start();
  const { answers, seen, forwarded, counted } = await server.send(message(INVITE, lines));
  expect(answers.map(({ status }) => status)).toEqual(isAnswered ? [400] : []);
  expect(seen).toEqual([]);
  expect(forwarded).toEqual([]);
  expect(counted).toEqual({ malformedMessages: 1 });
  await server.end();
}

/** That it gets the challenge of any stranger, with these headers as they came. */
async function expectChallenged(lines: Readonly<Record<string, string>>): Promise<void> {
  const server = await GuardedServer.start();
  const { answers, forwarded } = await server.send(message(INVITE, lines));
  expect(answers.map(({ status }) => status)).toEqual([407]);
  for (const [name, value] of Object.entries(lines)) {
    expect(answers[0]?.headers.get(name)).toBe(value);
  }
  expect(forwarded).toEqual([]);
  await server.end();
}

describe("CVE-2018-8828, ES2018-05: a From tag of 255 bytes, twice", () => {
  const tag = "a".repeat(255);

  it("in two headers: 400", async () => {
    await expectMalformed({ From: Array(2).fill(`<sip:alice@example.com>;tag=${tag}`) });
  });

  it.each([
    ["once", `;tag=${tag}`],
    ["twice in one header", `;tag=${tag};tag=${tag}`],
  ])("%s: challenged as any other, and copied as it came", async (_what, params) => {
    await expectChallenged({ From: `<sip:alice@example.com>${params}` });
  });
});

describe("CVE-2018-14767: To twice, and an empty tag", () => {
  it.each<[string, Lines]>([
    ["two To", { To: ["<sip:bob@example.com>", "<sip:bob@example.com>"] }],
    ["two To, one of them by its short name", { t: "<sip:bob@example.com>;tag=1" }],
    ["two To, the second empty", { To: ["<sip:bob@example.com>", ""] }],
    ["two To, the first empty", { To: ["", "<sip:bob@example.com>;tag="] }],
    ["an empty To", { To: "" }],
    ["an empty To tag", { To: "<sip:bob@example.com>;tag=" }],
    ["an empty From tag", { From: "<sip:alice@example.com>;tag=" }],
  ])("%s: 400", async (_what, lines) => {
    await expectMalformed(lines);
  });

  it("two To tags: challenged as any other, and no third one is put on", async () => {
    await expectChallenged({ To: "<sip:bob@example.com>;tag=1;tag=2" });
  });
});

describe("CVE-2018-16657, GHSA-wxfg-3gwh-rhvx: a malformed Via", () => {
  it.each<[string, Lines]>([
    ["an empty branch", { Via: "SIP/2.0/UDP 192.0.2.100:5060;branch=" }],
    ["an open quote", { Via: 'SIP/2.0/UDP 192.0.2.100;branch="z9hG4bK' }],
    ["an open bracket", { Via: "SIP/2.0/UDP [2001:db8::1;branch=z9hG4bK1" }],
    ["two hosts", { Via: "SIP/2.0/UDP 192.0.2.100 192.0.2.101;branch=z9hG4bK1" }],
  ])("%s: 400", async (_what, lines) => {
    await expectMalformed(lines);
  });

  it.each<[string, Lines]>([
    ["none", { Via: undefined }],
    ["an empty one", { Via: "" }],
    ["one without a version", { Via: "SIP//UDP 192.0.2.100;branch=z9hG4bK1" }],
    ["one without a host", { Via: "SIP/2.0/UDP ;branch=z9hG4bK1" }],
    ["one without a transport", { Via: "SIP/2.0" }],
    ["commas alone", { Via: ",,,," }],
  ])("%s: dropped and counted, there is nobody to answer", async (_what, lines) => {
    await expectMalformed(lines, false);
  });

  it.each([
    ["a comma at the end of the branch's name", "SIP/2.0/UDP 192.0.2.100;branch,"],
    ["two branches", "SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK1;branch=z9hG4bK2"],
  ])("%s: challenged as any other", async (_what, Via) => {
    const server = await GuardedServer.start();
    const { answers } = await server.send(message(INVITE, { Via }));
    expect(answers.map(({ status }) => status)).toEqual([407]);
    expect(answers[0]?.headers.get("via")?.startsWith(Via.replace(",", ""))).toBe(true);
    await server.end();
  });

  it("200 of them below a good one don't keep it from being answered", async () => {
    const server = await GuardedServer.start();
    const Via = ["SIP/2.0/UDP 192.0.2.100;branch=z9hG4bKgood", ...Array(200).fill("nonsense;;=")];
    const { answers } = await server.send(message(INVITE, { Via }));
    expect(answers.map(({ status }) => status)).toEqual([407]);
    await server.end();
  });
});
