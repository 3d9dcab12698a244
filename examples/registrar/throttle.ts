import { failureLine, Throttle } from "@sipkit/auth";

/** Slows down who guesses passwords, and writes who did: a line that fail2ban reads, and one for each ban. */
export function throttle(allow: readonly string[], write: (line: string) => void): Throttle {
  return new Throttle({
    allow,
    onFailure(failure) {
      write(failureLine(failure));
      const { address, bannedFor } = failure;
      if (bannedFor > 0) write(`banned ${address} for ${Math.ceil(bannedFor / 1000)} s`);
    },
  });
}
