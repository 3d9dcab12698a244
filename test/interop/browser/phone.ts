// What runs in the browser: a JsSIP phone that notes what happens to it.
import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession.js";
import type { UA } from "jssip/lib/UA.js";

/** A JsSIP phone, as a test drives it by name. */
class Phone {
  readonly #events: string[] = [];
  #agent: UA | undefined;
  #session: RTCSession | undefined;

  /** What happened so far, the oldest first. */
  get events(): readonly string[] {
    return this.#events;
  }

  start(url: string, user: string, password: string): void {
    const agent = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(url)],
      uri: `sip:${user}@example.com`,
      password,
      session_timers: false,
    });
    for (const event of [
      "connected",
      "registered",
      "unregistered",
      "registrationFailed",
    ] as const) {
      agent.on(event, () => this.#events.push(event));
    }
    agent.on(
      "newRTCSession",
      ({ originator, session }: { originator: string; session: RTCSession }) => {
        this.#session = session;
        for (const event of ["progress", "confirmed", "ended"] as const) {
          session.on(event, () => this.#events.push(event));
        }
        session.on("failed", ({ cause }: { cause: string }) =>
          this.#events.push(`failed: ${cause}`),
        );
        if (originator === "remote") session.answer({ mediaConstraints: { audio: true } });
      },
    );
    this.#agent = agent;
    agent.start();
  }

  call(user: string): void {
    this.#agent?.call(`sip:${user}@example.com`, { mediaConstraints: { audio: true } });
  }

  hangUp(): void {
    this.#session?.terminate();
  }

  unregister(): void {
    this.#agent?.unregister();
  }
}

Object.assign(globalThis, { phone: new Phone() });
