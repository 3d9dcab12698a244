import { linkOf } from "./figure.ts";
import type { Passage } from "./recorder.ts";

/**
 * What is wrong between messages on one link, where each for itself differs from the RFC's in branches and servers' tags:
 *
 * - a CANCEL, and an ACK to an answer that isn't 2xx, have the branch of their INVITE (RFC 3261 §9.1, §17.1.1.3)
 * - no other two requests share one (§8.1.1.7)
 * - an ACK has the To tag of what it acknowledges
 */
export function faultsIn(passages: readonly Passage[]): readonly string[] {
  const faults: string[] = [];
  passages.forEach(({ from, to, what, sent }, at) => {
    if (!sent.isRequest) return;
    const before = passages
      .slice(0, at)
      .filter((each) => linkOf(each) === linkOf({ from, to }) && isOfCall(each, sent));
    const answer = before.findLast((each) => !each.sent.isRequest && Number(each.what) >= 200);
    const invite = before.findLast((each) => each.what === "INVITE" && each.from === from);
    const isOfInvite = what === "CANCEL" || (what === "ACK" && Number(answer?.what) >= 300);
    const described = `${from} -> ${to}: ${what} ${sent.cseq.number}`;
    if (isOfInvite && invite?.sent.branch !== sent.branch) {
      faults.push(`${described} has another branch than its INVITE`);
    }
    const isAgain = what === "INVITE" && invite !== undefined;
    const isShared = before.some((each) => each.sent.isRequest && each.sent.branch === sent.branch);
    if (!isOfInvite && !isAgain && isShared) faults.push(`${described} has another's branch`);
    if (what === "ACK" && answer !== undefined && answer.sent.toTag !== sent.toTag) {
      faults.push(`${described} has another To tag than what it acknowledges`);
    }
  });
  return faults;
}

function isOfCall({ sent }: Passage, other: Passage["sent"]): boolean {
  return sent.callId === other.callId && sent.cseq.number === other.cseq.number;
}
