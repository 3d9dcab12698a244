/** Messages to another process that may be on their way. */
const MOST = 1_000;

/** What `process` and a child have in common. */
interface Sender {
  readonly connected: boolean;
  send?: ((message: object, sent: (error: Error | null) => void) => boolean) | undefined;
}

/** Sends to another process, and no more than it takes: a busy one must not make this one's memory grow. */
export class BoundedChannel {
  #underway = 0;

  /** Whether there was room for a message, and somebody to send it to. */
  send(to: Sender, message: object): boolean {
    if (!to.connected || this.#underway >= MOST) return false;
    this.#underway += 1;
    to.send?.(message, () => {
      this.#underway -= 1;
    });
    return true;
  }
}
