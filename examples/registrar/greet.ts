import type { Leg } from "@sipkit/core";
import type { ChosenUsers } from "./choose-users.ts";

/** Prints where the server listens, where registrations are kept and, for demo users, what to type. */
export function greet(
  legs: readonly Leg[],
  place: string,
  { domain, users, areDemoUsers }: ChosenUsers & { readonly domain: string },
): void {
  for (const leg of legs) console.log(`listening on ${leg.protocol}:${addressOf(leg)}`);
  console.log(`registrations are kept in ${place}`);
  const leg = legs.find(({ protocol }) => protocol === "udp") ?? legs[0];
  if (!areDemoUsers || leg === undefined) return;
  const proxy = addressOf(leg);
  const transport = leg.protocol === "udp" ? "" : `;transport=${leg.protocol}`;
  for (const [user, password] of Object.entries(users)) {
    console.log(
      `demo user sip:${user}@${domain}, password ${JSON.stringify(password)}, proxy ${proxy}${transport}`,
    );
  }
  if (leg.protocol !== "udp") return;
  console.log(`try: sipsak -vv -s sip:${proxy}`);
  console.log(
    `try: sipsak -U -C sip:alice@127.0.0.1:5070 -x 60 -u alice -a secret -s sip:alice@${proxy}`,
  );
}

function addressOf({ address, port }: Leg): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
