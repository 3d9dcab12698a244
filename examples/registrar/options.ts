import { parseArgs } from "node:util";
import { type LegOptions, parseLeg } from "@sipkit/core";
import { type CertificateFiles, certificateFiles, readCertificates } from "./certificates.ts";
import { type ChosenUsers, chooseUsers } from "./choose-users.ts";

/** What the command line says. */
export interface RegistrarExampleOptions extends ChosenUsers {
  readonly legs: readonly LegOptions[];
  /** What the tls and wss legs show, to be read again on SIGHUP; left out where there are none. */
  readonly certificates: CertificateFiles | undefined;
  readonly domain: string;
  readonly htdigest: string | undefined;
  /** Addresses that are never held back, for `throttle`. */
  readonly allow: readonly string[];
  readonly minExpires: number;
  readonly maxExpires: number;
  /** Seconds within which a registered flow must be kept alive, where the command line says so. */
  readonly flowTimer: number | undefined;
  /** Seconds between two pings of a phone, where the command line wants pings. */
  readonly qualify: number | undefined;
  /** Where registrations are kept, for `openStore`. */
  readonly store: string;
}

export const usage = `Usage: pnpm start [options]
  --listen udp:127.0.0.1:5060   where to listen, repeatable (udp: tcp: tls: ws: wss:); port 0 takes a free one
  --advertise HOST              the name that others reach us by; needed for --listen udp:0.0.0.0:5060
  --cert FILE --key FILE        certificate chain and key of tls: and wss:, PEM; SIGHUP reads them again
  --ca FILE                     whose certificates we believe, PEM
  --domain example.com          the domain of the users
  --user alice:secret           a user and her password, repeatable
  --htdigest FILE               users from a file made by htdigest
  --allow 127.0.0.0/8           an address or a block that is never banned, however many wrong passwords come from
                                there, repeatable; without it this machine (127.0.0.0/8 and ::1)
  --min-expires 10              the shortest registration in seconds
  --max-expires 3600            the longest
  --flow-timer 120              seconds within which phones with outbound must keep their flow alive
  --qualify 29                  seconds from one ping of a phone to the next: is it still there?
  --store lmdb:./sipkit-data    where registrations are kept: lmdb:DIR, redis://HOST:PORT, or memory
`;

/** Reads the command line. Throws an `Error` whose message says what is wrong with it. */
export function readOptions(args: readonly string[]): RegistrarExampleOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      listen: {
        type: "string",
        multiple: true,
        default: ["udp:127.0.0.1:5060", "tcp:127.0.0.1:5060"],
      },
      advertise: { type: "string" },
      cert: { type: "string" },
      key: { type: "string" },
      ca: { type: "string" },
      domain: { type: "string", default: "example.com" },
      user: { type: "string", multiple: true, default: [] },
      htdigest: { type: "string" },
      allow: { type: "string", multiple: true, default: ["127.0.0.0/8", "::1"] },
      "min-expires": { type: "string", default: "10" },
      "max-expires": { type: "string", default: "3600" },
      "flow-timer": { type: "string" },
      qualify: { type: "string" },
      store: { type: "string", default: "lmdb:./sipkit-data" },
    },
  });
  const { users, areDemoUsers } = chooseUsers(values);
  const legs = values.listen.map(parseLeg);
  const certificates = legs.some(isSecure) ? certificateFiles(values) : undefined;
  const { advertise, "flow-timer": flowTimer, qualify } = values;
  return {
    legs: legs.map((leg) => ({
      ...leg,
      ...(advertise === undefined ? {} : { advertise }),
      ...(certificates && isSecure(leg) ? { tls: readCertificates(certificates) } : {}),
    })),
    certificates,
    domain: values.domain,
    users,
    areDemoUsers,
    htdigest: values.htdigest,
    allow: values.allow,
    minExpires: readSeconds("--min-expires", values["min-expires"]),
    maxExpires: readSeconds("--max-expires", values["max-expires"]),
    flowTimer: flowTimer === undefined ? undefined : readSeconds("--flow-timer", flowTimer),
    qualify: qualify === undefined ? undefined : readSeconds("--qualify", qualify),
    store: values.store,
  };
}

function isSecure({ listen }: LegOptions): boolean {
  return typeof listen === "string" && /^(?:tls|wss):/.test(listen);
}

function readSeconds(flag: string, text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`${flag} is a number of seconds`);
  return Number(text);
}
