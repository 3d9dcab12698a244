import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { type LegOptions, parseLeg } from "@sipkit/core";
import { type ChosenUsers, chooseUsers } from "../registrar/choose-users.ts";
import { chooseRedis, type RedisChoice } from "./choose-redis.ts";

/** What the command line and the environment say. */
export interface NodeOptions extends ChosenUsers, RedisChoice {
  readonly node: string;
  readonly legs: readonly LegOptions[];
  /** The key ring of all nodes, the newest first. */
  readonly secrets: readonly string[];
  /** How many replicas must have a registration before it is answered 200. */
  readonly replicas: number;
  readonly domain: string;
  readonly htdigest: string | undefined;
  readonly maxExpires: number;
}

export const usage = `Usage: SIPKIT_SECRET=… pnpm exec tsx --conditions=@sipkit/source examples/cluster/main.ts [options]
  --node NAME                   this node's name: no other node's, the same after a restart; the machine's by default
  --listen tcp:127.0.0.1:5060   where to listen, repeatable (udp: tcp:); the other nodes come to the first
  --advertise HOST              the name that others reach us by, the other nodes too
  --store redis://HOST:6379     where registrations are kept; or sentinel:GROUP@HOST:26379,HOST:26379,…
  --replicas 1                  how many replicas must have a registration before its 200; 0 for one Redis alone
  --domain example.com          the domain of the users
  --user alice:secret           a user and her password, repeatable
  --htdigest FILE               users from a file made by htdigest
  --max-expires 300             the longest registration in seconds
In the environment, where ps doesn't show it:
  SIPKIT_SECRET                 the secret of all nodes, 32 characters at least; older ones behind it, after commas
  SIPKIT_STORE                  what --store would say
  SIPKIT_REDIS_PASSWORD         the password of the servers behind sentinels
`;

const LEAST_SECRET = 32;

/** Reads the command line and the environment. Throws an `Error` whose message says what is wrong with them. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): NodeOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      node: { type: "string", default: hostname() },
      listen: {
        type: "string",
        multiple: true,
        default: ["tcp:127.0.0.1:5060", "udp:127.0.0.1:5060"],
      },
      advertise: { type: "string" },
      store: { type: "string", default: env.SIPKIT_STORE ?? "redis://127.0.0.1:6379" },
      replicas: { type: "string", default: "1" },
      domain: { type: "string", default: "example.com" },
      user: { type: "string", multiple: true, default: [] },
      htdigest: { type: "string" },
      "max-expires": { type: "string", default: "300" },
    },
  });
  const { advertise } = values;
  return {
    node: values.node,
    legs: values.listen.map((listen) => ({
      ...parseLeg(listen),
      ...(advertise === undefined ? {} : { advertise }),
    })),
    secrets: readSecrets(env.SIPKIT_SECRET),
    ...chooseRedis(values.store, env.SIPKIT_REDIS_PASSWORD),
    replicas: readNumber("--replicas", values.replicas),
    domain: values.domain,
    ...chooseUsers(values),
    htdigest: values.htdigest,
    maxExpires: readNumber("--max-expires", values["max-expires"]),
  };
}

/** A guessed secret opens every phone to calls from anywhere, and lets nonces be made. */
function readSecrets(text = ""): readonly string[] {
  const secrets = text.split(",").map((secret) => secret.trim());
  if (secrets.every(({ length }) => length >= LEAST_SECRET)) return secrets;
  throw new Error(
    `SIPKIT_SECRET must have ${LEAST_SECRET} characters at least, the same on all nodes: openssl rand -hex 32`,
  );
}

function readNumber(flag: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`${flag} is a number`);
  return Number(text);
}
