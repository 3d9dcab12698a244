import { describeHandler, TestServer, VirtualClock } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { BusinessHours, type BusinessHoursOptions } from "./business-hours.ts";

const CALL = "INVITE sip:sales@example.com SIP/2.0";

const office: BusinessHoursOptions = {
  timeZone: "Europe/Berlin",
  hours: { Mon: ["09:00", "17:30"], Tue: ["09:00", "12:00"], Sat: ["22:00", "24:00"] },
};

/** What the server says to a call at a time, as `480 3600`, or `undefined` when the handler lets it pass. */
async function answerAt(
  time: string,
  options: Partial<BusinessHoursOptions> = {},
  call: string = CALL,
): Promise<string | undefined> {
  const clock = new VirtualClock({ wall: Date.parse(time) });
  const server = await TestServer.start(new BusinessHours({ ...office, ...options }), { clock });
  const { by, sent } = await server.ask(call);
  const [answer] = sent;
  await server.close();
  if (by === undefined || answer?.isRequest !== false) return undefined;
  return `${answer.status} ${answer.headers.get("retry-after")}`;
}

describe("BusinessHours", () => {
  // In Berlin it is two hours later than that in summer, and one in winter.
  it.each([
    ["on Monday morning", "2026-07-06T07:00:00Z", undefined],
    ["a minute before it opens", "2026-07-06T06:59:00Z", "480 60"],
    ["a minute before it closes", "2026-07-06T15:29:00Z", undefined],
    ["when it closes", "2026-07-06T15:30:00Z", `480 ${15.5 * 3600}`],
    ["in winter", "2026-01-05T08:00:00Z", undefined],
    ["on a day that is closed", "2026-07-08T07:00:00Z", `480 ${(3 * 24 + 13) * 3600}`],
    ["before midnight, where it closes at midnight", "2026-07-11T21:59:00Z", undefined],
    [
      "when the only day of the week is over",
      "2026-07-07T10:00:00Z",
      `480 ${(6 * 24 + 21) * 3600}`,
      { hours: { Tue: ["09:00", "12:00"] } },
    ],
  ] as const)("%s", async (_when, time, answer, options: Partial<BusinessHoursOptions> = {}) => {
    expect(await answerAt(time, options)).toBe(answer);
  });

  const night = "2026-07-06T00:00:00Z";

  it("is for the users that it is given, and no others", async () => {
    const users = ["sip:sales@example.com"];
    expect(await answerAt(night, { users })).toMatch(/^480/);
    expect(await answerAt(night, { users }, "INVITE sip:bob@example.com SIP/2.0")).toBeUndefined();
    expect(await answerAt(night, {}, "INVITE sip:sales@example.net SIP/2.0")).toBeUndefined();
  });

  it("lets a call that is going on go on", async () => {
    const reinvite = `${CALL}\nTo: <sip:sales@example.com>;tag=1`;
    expect(await answerAt(night, {}, reinvite)).toBeUndefined();
  });

  it("counts what it refuses", async () => {
    const clock = new VirtualClock({ wall: Date.parse(night) });
    const server = await TestServer.start(new BusinessHours(office), { clock });
    await server.ask(CALL);
    expect(server.dispatcher.counters()).toMatchObject({ callsOutsideHours: 1 });
    await server.close();
  });

  it.each<Partial<BusinessHoursOptions>>([
    { hours: {} },
    { hours: { Mon: ["9", "17"] } },
    { hours: { Mon: ["09:00", "24:01"] } },
    { hours: { Mon: ["12:00", "09:00"] } },
    { timeZone: "Europe/Entenhausen" },
  ])("refuses %j when it is made", (options) => {
    expect(() => new BusinessHours({ ...office, ...options })).toThrow(
      expect.objectContaining({ code: "SIP_EXAMPLE_HOURS" }),
    );
  });
});

describeHandler(
  "BusinessHours",
  // Open for one minute of the week, in which nobody tests.
  () => new BusinessHours({ timeZone: "UTC", hours: { Sun: ["03:00", "03:01"] } }),
  { describe, it },
  {
    takes: [CALL],
    ignores: ["MESSAGE sip:sales@example.com SIP/2.0", `${CALL}\nTo: <sip:a@b>;tag=1`],
  },
);
