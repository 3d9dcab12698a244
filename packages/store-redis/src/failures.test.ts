import { ErrorReply } from "@redis/client";
import { StoreUnavailable } from "@sipkit/registrar";
import { describe, expect, it } from "vitest";
import { nameFailure } from "./failures.ts";

/** What Redis 6.2 says of a command that failed within a script. */
const wrapped = (reply: string): ErrorReply =>
  new ErrorReply(
    `ERR Error running script (call to f_9639889): @user_script:6: @user_script: 6: -${reply}`,
  );

describe("an error of Redis", () => {
  it.each([
    "READONLY You can't write against a read only replica.",
    "NOREPLICAS Not enough good replicas to write.",
    "LOADING Redis is loading the dataset in memory",
  ])("passes by, from a script too: %s", (reply) => {
    expect(nameFailure(new ErrorReply(reply))).toBeInstanceOf(StoreUnavailable);
    expect(nameFailure(wrapped(reply))).toBeInstanceOf(StoreUnavailable);
  });

  it("says that there is no memory left, from a script too", () => {
    const reply = "OOM command not allowed when used memory > 'maxmemory'.";
    for (const error of [new ErrorReply(reply), wrapped(reply)]) {
      expect(nameFailure(error)).toMatchObject({ code: "SIP_STORE_FULL" });
    }
  });

  it("stays what it is when it is there to stay", () => {
    for (const error of [
      new ErrorReply("WRONGTYPE Operation against a key holding the wrong kind of value"),
      new ErrorReply("ERR unknown command"),
      wrapped("ERR unknown command"),
      new ErrorReply("READONLYISH is none"),
    ]) {
      expect(nameFailure(error)).toBe(error);
    }
  });

  it("is a lost connection when Redis has not said it", () => {
    expect(nameFailure(new Error("READONLY or not"))).toMatchObject({
      code: "SIP_STORE_UNAVAILABLE",
      message: "Redis can't be reached: READONLY or not",
    });
  });
});
