import {
  type DialogRoute,
  dialogRoute,
  lateTargets,
  type Outcome,
  parseSipUri,
  type Request,
  type Response,
  type Target,
  targetGone,
  targets,
  whenKnown,
} from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { isTarget, takes, targetsOf } from "./binding-targets.ts";
import { chosenOf } from "./chosen-binding.ts";
import { deviceOf } from "./device.ts";
import { recover } from "./failures.ts";
import { callMark, type GruuOwner, hasGr } from "./gruu.ts";
import type { Life } from "./life.ts";
import type { LostFlows } from "./lost-flows.ts";
import type { Push } from "./push/push.ts";
import { wakeable } from "./push/push-options.ts";
import { orderedByPings } from "./qualify/qualify-order.ts";
import { isLost } from "./reachability.ts";
import { readBindings } from "./read-bindings.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** Finds where requests to users go. RFC 3261 §16.5 */
export class LookUps {
  readonly #life: Life;
  readonly #lost: LostFlows;
  readonly #push: Push | undefined;

  constructor(life: Life, lost: LostFlows, push: Push | undefined) {
    this.#life = life;
    this.#lost = lost;
    this.#push = push;
  }

  /** Sets a request's `targets`, or refuses it; leaves alone what is for no user of ours. */
  answer(request: Request): Outcome {
    const { domains } = this.#life;
    const addressOfRecord = domains.addressOfRecord(request.uri);
    if (addressOfRecord === undefined || request.get(targets) !== undefined) return undefined;
    const owner = this.#ownerOf(request.uri, addressOfRecord);
    // RFC 5627 §6.1: a GRUU that was never given out is nobody.
    if (owner === "nobody") return request.createResponse(404);
    const user = owner?.addressOfRecord ?? addressOfRecord;
    return readBindings(this.#life, user, (stored) => this.#found(request, user, owner, stored));
  }

  /**
   * Sends a request within a dialog on to where the device is now that its GRUU names: it may have come back over another
   * flow since. Where it isn't found, or the store is away, the request goes as its dialog has it.
   *
   * RFC 5627 §6.1
   */
  retarget(request: Request, within: DialogRoute): Outcome {
    if (this.#life.gruus === undefined || !hasGr(request.uri)) return undefined;
    const addressOfRecord = this.#life.domains.addressOfRecord(request.uri);
    if (addressOfRecord === undefined || request.headers.has("route")) return undefined;
    const owner = this.#ownerOf(request.uri, addressOfRecord);
    if (owner === undefined || owner === "nobody") return undefined;
    const found = recover(() => this.#life.store.read(owner.addressOfRecord), this.#away);
    return whenKnown<readonly Binding[] | undefined, void>(found, (stored = []) => {
      const [best] = this.#targetsOf(owner.addressOfRecord, this.#liveOf(owner, stored));
      if (best === undefined) return;
      request.uri = best.uri;
      for (const hop of best.route.toReversed()) request.headers.prepend("Route", hop);
      request.set(dialogRoute, { side: within.side, flow: best.flow });
    });
  }

  /** Goes on without what a store has that is away. */
  readonly #away = (cause: unknown): undefined => {
    if (!(cause instanceof StoreUnavailable)) throw cause;
    this.#life.failures.reportAway(cause);
  };

  #found(
    request: Request,
    user: string,
    owner: GruuOwner | undefined,
    stored: readonly Binding[] | undefined,
  ): Outcome {
    const { fixed, settings } = this.#life;
    const all = chosenOf(request, fixed.withStored(user, stored ?? []));
    const live = this.#liveOf(owner, all);
    // RFC 5627 §5.3: a temporary GRUU ends with the last binding that it was given out for.
    if (owner?.call !== undefined && live.length === 0) return request.createResponse(404);
    const takers = settings.filtersMethods
      ? live.filter((binding) => takes(binding, request.method))
      : live;
    const sorted = this.#push?.sort(request, takers);
    const found = this.#targetsOf(user, sorted?.awake ?? takers);
    const best = found[0];
    const late = this.#push?.late(request, user, sorted?.asleep ?? [], (binding) =>
      this.#targetsOf(user, this.#liveOf(owner, [binding])),
    );
    if (late !== undefined) request.set(lateTargets, late);
    else if (best === undefined) {
      if (takers.length < live.length) return notAllowed(request, live);
      return this.#unreachable(request, user, stored === undefined && all.length === 0);
    }
    request.set(targets, found);
    request.set(targetGone, (target) => this.#lost.targetGone(user, target));
    if (best !== undefined) request.uri = best.uri;
    return undefined;
  }

  #targetsOf(user: string, bindings: readonly Binding[]): readonly Target[] {
    const { server, settings, pings } = this.#life;
    const now = server.clock.wall();
    if (pings === undefined || settings.qualify === undefined) {
      return this.#shown(targetsOf(bindings, now, server.node));
    }
    const found = bindings.filter((binding) => isTarget(binding, now));
    const ordered = orderedByPings(user, found, pings, settings.qualify);
    return this.#shown(targetsOf(ordered, now, server.node));
  }

  /** What goes on knows nothing of the push that we do ourselves. RFC 8599 §13 */
  #shown(found: readonly Target[]): readonly Target[] {
    const push = this.#push;
    return push === undefined
      ? found
      : found.map((target) => ({ ...target, uri: push.shown(target.uri) }));
  }

  #ownerOf(uri: string, addressOfRecord: string): GruuOwner | "nobody" | undefined {
    const { gruus } = this.#life;
    if (gruus === undefined || !hasGr(uri)) return undefined;
    const parsed = parseSipUri(uri);
    if (!parsed.params.has("gr")) return undefined;
    return gruus.ownerOf(parsed, addressOfRecord) ?? "nobody";
  }

  /** Those that something can be sent to, of a GRUU's device alone. */
  #liveOf(owner: GruuOwner | undefined, bindings: readonly Binding[]): readonly Binding[] {
    const { server, settings } = this.#life;
    const live = bindings.filter(
      (binding) => !isLost(binding, server) || wakeable(binding, settings.push) !== undefined,
    );
    if (owner === undefined) return live;
    const own = live.filter((binding) => deviceOf(binding).instance === owner.instance);
    const { call } = owner;
    return call === undefined || own.some(({ callId }) => callMark(callId) === call) ? own : [];
  }

  /** §21.4.18: 480 for a user who isn't here now; §21.4.5: 404 for one who doesn't exist. */
  #unreachable(request: Request, addressOfRecord: string, isUnknown: boolean): Outcome {
    if (!isUnknown) return request.createResponse(480);
    const at = addressOfRecord.lastIndexOf("@");
    const user = addressOfRecord.slice("sip:".length, at);
    return whenKnown(
      this.#life.settings.knownUsers(user, addressOfRecord.slice(at + 1)),
      (known): Outcome => request.createResponse(known ? 480 : 404),
    );
  }
}

/** §21.4.6: with what the devices do take. */
function notAllowed(request: Request, bindings: readonly Binding[]): Response {
  const methods = new Set(bindings.flatMap((binding) => binding.methods ?? []));
  return request.createResponse(405, { headers: { Allow: [...methods].join(", ") } });
}
