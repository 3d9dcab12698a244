import { describe, expect, it } from "vitest";
import { Progress } from "./progress.ts";
import { streamLimits } from "./stream-limits.ts";

const limits = streamLimits({
  betweenBytesTimeout: 10,
  messageTimeout: 30,
  firstMessageTimeout: 50,
  idleTimeout: 100,
});

describe("the progress of a connection", () => {
  it("is owed a first message by whoever opened it", () => {
    expect(new Progress(limits, true, 0).overdue(49)).toBeUndefined();
    expect(new Progress(limits, true, 0).overdue(50)?.counter).toBe("silentConnections");
    expect(new Progress(limits, false, 0).overdue(50)).toBeUndefined();
  });

  it("is given up when a message pauses, and not when nothing has begun", () => {
    const progress = new Progress(limits, false, 0);
    progress.read(1, true);
    expect(progress.overdue(10)).toBeUndefined();
    expect(progress.overdue(11)?.why).toBe("it fell silent within a message");
    progress.read(11, false);
    expect(progress.overdue(60)).toBeUndefined();
  });

  it("counts a message's time from its first byte, and anew for the next one", () => {
    const progress = new Progress(limits, false, 0);
    for (let now = 0; now <= 25; now += 5) progress.read(now, true);
    progress.message();
    progress.read(27, true);
    for (let now = 30; now < 57; now += 5) progress.read(now, true);
    expect(progress.overdue(56)).toBeUndefined();
    expect(progress.overdue(57)?.counter).toBe("slowSenders");
  });

  it("ends when the other side is silent for longer than it may, whatever goes out to it", () => {
    const progress = new Progress(limits, false, 0);
    progress.read(10, false);
    progress.expectBytes(30);
    progress.written(39);
    expect(progress.overdue(39)).toBeUndefined();
    expect(progress.overdue(40)?.counter).toBe("missedKeepAlives");
    progress.read(40, false);
    expect(progress.overdue(69)).toBeUndefined();
    progress.expectBytes(50);
    expect(progress.overdue(89)).toBeUndefined();
    expect(progress.overdue(90)?.counter).toBe("missedKeepAlives");
  });

  it("ends when no byte has passed in either direction", () => {
    const progress = new Progress(limits, false, 0);
    progress.read(10, false);
    progress.written(20);
    expect(progress.overdue(119)).toBeUndefined();
    expect(progress.overdue(120)?.counter).toBe("idleConnections");
  });
});
