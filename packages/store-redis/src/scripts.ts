import { createHash } from "node:crypto";
import type { Answer, Command } from "./link.ts";

/** A script that runs on the server, whole or not at all. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

function script(source: string): Script {
  return { source, sha: createHash("sha1").update(source).digest("hex") };
}

/** Runs a script by its hash, and by its source where the server doesn't know it yet. */
export async function evaluate(
  send: (command: Command) => Promise<Answer>,
  { source, sha }: Script,
  keys: readonly string[],
  args: readonly string[],
): Promise<Answer> {
  const rest = [String(keys.length), ...keys, ...args];
  try {
    return await send(["EVALSHA", sha, ...rest]);
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
    return send(["EVAL", source, ...rest]);
  }
}

/**
 * Writes a user's record if nobody else has: key; version that was read, record, milliseconds since 1970 when it goes.
 * Gives 1, or the record that is there, `""` for none.
 */
export const WRITE: Script = script(`
local found = redis.call('GET', KEYS[1])
local version = found and string.match(found, '^[^\\n]*') or ''
if version ~= ARGV[1] then return found or '' end
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
return 1`);

/**
 * Puts a user into the index: ends, names; time, user. Gives the time that she is at. Where she is there already, the
 * time becomes another one, a little earlier: whoever is about to move her, or to take her out, finds that she is back.
 */
export const ENTER: Script = script(`
local time = tonumber(ARGV[1])
local found = redis.call('ZSCORE', KEYS[1], ARGV[2])
if found and tonumber(found) <= time then time = tonumber(found) - 1 end
local text = string.format('%.17g', time)
redis.call('ZADD', KEYS[1], text, ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[2])
return text`);

/** Moves a user who is where she was seen, or takes her out: ends, names; time that was seen, user, new time or `""`. */
export const MOVE: Script = script(`
local found = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not found or tonumber(found) ~= tonumber(ARGV[1]) then return 0 end
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
else
  redis.call('ZREM', KEYS[1], ARGV[2])
  redis.call('ZREM', KEYS[2], ARGV[2])
end
return 1`);
