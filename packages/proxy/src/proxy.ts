import {
  dialogRoute,
  type Handler,
  type Leg,
  type Method,
  type Packet,
  type Request,
  Response,
  type Server,
  SipError,
  type Verdict,
} from "@sipkit/core";
import { along, type Course, type CourseOptions, courseOf, hasWay } from "./course.ts";
import { Deadlines } from "./deadlines.ts";
import { copyForTarget, yieldToStrictRouter } from "./forward.ts";
import { forwardedMethods } from "./forwarded-methods.ts";
import type { ContextHost } from "./forwarding.ts";
import { loopHash } from "./loop.ts";
import { incomingBreadth } from "./max-breadth.ts";
import { isRecordRouted, RecordRoute } from "./record-route.ts";
import { ResponseContext } from "./response-context.ts";
import type { Fork } from "./target-set.ts";
import { nextMaxForwards, refusal } from "./validate.ts";

/** How a {@link Proxy} forwards. */
export interface ProxyOptions {
  /** Whether all targets are tried at once, or those of the highest q first. Default: `"parallel"`. */
  readonly fork?: Fork;
  /**
   * How long a branch of an INVITE may ring, in milliseconds since its last provisional response: more than 180,000.
   * Default: 180,500.
   *
   * RFC 3261 §16.6 step 11
   */
  readonly timerC?: number;
  /** How long targets of one q are tried before those of the next, in milliseconds. Default: 30,000. */
  readonly serialTimeout?: number;
  /** How many branches a request may have at once, here and behind us. Default: 60. RFC 5393 §5.3.3 */
  readonly maxBreadth?: number;
  /** How many devices a request is forwarded to; those of the lowest q are left out. Default: 60. */
  readonly maxTargets?: number;
  /** Whether we stay on the path of the dialogs that are opened through us. Default: true. */
  readonly recordRoute?: boolean;
  /**
   * Whether a REGISTER that comes straight from a device, and goes on to another registrar, gets a Path with the device's
   * flow, so that calls come back through us: as an edge proxy has it. Default: false. RFC 3327 §5.2, RFC 5626 §5.1
   */
  readonly path?: boolean;
}

/** The dispatcher takes a request for forgotten of which it has heard nothing for 181,000 ms. */
const LONGEST_SILENCE = 180_500;

/** How long a request waits for targets that are on their way, in milliseconds, whatever who has them called says. */
const LONGEST_HOLD = 32_000;

/**
 * A transaction-stateful proxy. It forwards
 * - a request within a dialog that was opened through it (a valid signed Route),
 * - a request whose `targets` somebody found, to all of them: forking,
 * - and elsewhere, where the request-URI and Routes say, only the request of a proved `identity`.
 *
 * What else is addressed to this server passes on to the next handler; the rest is refused with 403.
 *
 * RFC 3261 §16, RFC 4320, RFC 5393, RFC 6026
 *
 * @example
 * new ReceiveChain([new Authorize({ realm, credentials }), new Registrar(), new Proxy({ fork: "serial" })]);
 */
export class Proxy implements Handler {
  readonly name = "Proxy";
  readonly allows: readonly Method[] = forwardedMethods;

  readonly #options: Required<ProxyOptions> & CourseOptions;
  #host: ContextHost | undefined;

  constructor(options: ProxyOptions = {}) {
    const {
      fork = "parallel",
      timerC = LONGEST_SILENCE,
      serialTimeout = 30_000,
      maxBreadth = 60,
      maxTargets = 60,
      recordRoute = true,
      path = false,
    } = options;
    // §16.6 step 11: Timer C runs for more than three minutes.
    check(timerC > 180_000 && Number.isFinite(timerC), "timerC must be above 180,000");
    check(serialTimeout > 0, "serialTimeout must be above 0");
    check(Number.isInteger(maxBreadth) && maxBreadth > 0, "maxBreadth must be a positive integer");
    check(Number.isInteger(maxTargets) && maxTargets > 0, "maxTargets must be a positive integer");
    this.#options = {
      fork,
      timerC,
      serialTimeout,
      maxBreadth,
      maxTargets,
      recordRoute,
      path,
      stateless: false,
    };
  }

  start(server: Server): void {
    const { timerC, serialTimeout } = this.#options;
    const laps = Math.ceil(timerC / LONGEST_SILENCE);
    this.#host = {
      server,
      timerC: new Deadlines(server.clock, timerC / laps, (branch) => branch.lapEnded()),
      laps,
      groupTime: new Deadlines(server.clock, serialTimeout, (context) => context.groupExpired()),
      holdTime: new Deadlines(server.clock, LONGEST_HOLD, (late) => late.overdue()),
    };
  }

  close(): void {
    this.#host?.timerC.close();
    this.#host?.groupTime.close();
    this.#host?.holdTime.close();
  }

  receive(packet: Packet, leg: Leg): Verdict {
    // Responses go to the client transactions of their branches.
    if (!packet.isRequest || packet.method === "CANCEL") return undefined;
    const host = this.#host;
    if (host === undefined) throw new SipError("SIP_NOT_STARTED", "the proxy was not started");
    if (packet.method === "ACK") return this.#acknowledge(packet, host.server);

    const course = courseOf(packet, host.server, this.#options);
    if (course === undefined || course instanceof Response) return course;
    return this.#forward(packet, leg, course);
  }

  /** Checks a request by §16.3 and forwards it. */
  #forward(request: Request, leg: Leg, { groups, standing, late }: Course): Verdict {
    const host = this.#host as ContextHost;
    const { server } = host;
    const vias = request.headers.getAll("via");
    const isLookedUp = standing === "looked up";
    const hash = loopHash(request, groups, !isLookedUp);
    const refused = refusal(request, vias, hash, server, false);
    if (refused !== undefined) return refused;
    const breadth = incomingBreadth(request, this.#options.maxBreadth);
    // RFC 5393 §5.3.3
    if (breadth < 1 || groups.some((group) => group.length > breadth)) {
      server.count("breadthExhausted");
      return request.createResponse(440);
    }
    // §16.10: it was cancelled while somebody before us pondered.
    if (request.method === "INVITE" && request.signal.aborted) return request.createResponse(487);

    const isRouted =
      this.#options.recordRoute && isRecordRouted(request.method, standing === "in dialog");
    new ResponseContext(host, {
      request,
      groups,
      isLookedUp,
      late,
      maxTargets: this.#options.maxTargets,
      maxForwards: nextMaxForwards(request),
      maxBreadth: breadth,
      loopHash: hash,
      recordRoute: isRouted
        ? new RecordRoute(server, leg, vias.length === 1 ? server.flowOf(request) : undefined)
        : undefined,
      keptFlow:
        this.#options.path && request.method === "REGISTER" && vias.length === 1
          ? server.flowOf(request)
          : undefined,
    }).start();
    return "later";
  }

  /** An ACK to a 2xx: sent on within its dialog, or not at all; it is never answered. */
  #acknowledge(ack: Request, server: Server): Verdict {
    const within = ack.get(dialogRoute);
    const hops = nextMaxForwards(ack);
    const flow = within?.flow;
    const mayPass =
      within !== undefined &&
      hops >= 0 &&
      (flow === undefined ? hasWay(ack) : server.isAlive(flow));
    if (!mayPass) {
      server.count("droppedAcks");
      return "drop";
    }
    const { uri, target } = along(ack, flow);
    const copy = copyForTarget(ack, {
      uri,
      maxForwards: hops,
      maxBreadth: incomingBreadth(ack, this.#options.maxBreadth),
      keepRoutes: true,
    });
    const to = target === undefined ? yieldToStrictRouter(copy) : undefined;
    server.deliver(copy, {
      branch: server.random.token(),
      ...(target === undefined ? {} : { target }),
      ...(to === undefined ? {} : { to }),
    });
    return "forwarded";
  }
}

function check(isGood: boolean, message: string): void {
  if (!isGood) throw new SipError("SIP_BAD_OPTION", message);
}
