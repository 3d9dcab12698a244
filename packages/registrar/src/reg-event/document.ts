import { hash } from "node:crypto";
import type { Binding } from "../binding.ts";
import type { Life } from "../life.ts";
import { userUri } from "../user-uri.ts";
import { fullContents, partialContents } from "./contact-infos.ts";
import { type WrittenRegInfo, writeRegInfo } from "./reginfo.ts";
import type { Subscription } from "./subscription.ts";

const ID_LENGTH = 16;

/** The next document for a subscriber, to whom then nothing is owed. `stored`: what a store has of the user. RFC 3680 §5 */
export function documentFor(
  subscription: Subscription,
  stored: readonly Binding[],
  life: Life,
  maxBytes: number,
): WrittenRegInfo {
  const { addressOfRecord, owesAll, isOwner } = subscription;
  const now = life.server.clock.wall();
  const all = life.fixed.withStored(addressOfRecord, stored);
  const current = all.filter(({ expiresAt }) => expiresAt > now);
  const { version, changes } = subscription.take();
  const about = { life, addressOfRecord, showsTemporary: isOwner };
  const contents = owesAll
    ? fullContents(current, changes, about)
    : partialContents(current, changes, about);
  const info = {
    version,
    state: owesAll ? "full" : "partial",
    addressOfRecord: userUri(addressOfRecord),
    id: hash("sha256", addressOfRecord, "base64url").slice(0, ID_LENGTH),
    ...contents,
  } as const;
  return writeRegInfo(info, maxBytes);
}
