import type { Request, Response } from "@sipkit/core";
import type { Binding } from "./binding.ts";
import { DateText } from "./date-text.ts";
import { deviceOf } from "./device.ts";
import type { Gruus } from "./gruu.ts";
import { supports } from "./option-tags.ts";
import { featureCaps } from "./push/push-contact.ts";
import { withoutPush } from "./push/push-device.ts";
import type { PushSettings } from "./push/push-options.ts";
import { remainingSeconds } from "./remaining-seconds.ts";

/** How much longer than told a connection may be without a keep-alive, in milliseconds. */
const KEEP_ALIVE_GRACE = 10_000;

/** What a 200 to REGISTER tells. */
export interface AnswerRules {
  /** What a binding that never ends is granted. */
  readonly maxExpires: number;
  /** Whether only the bindings are listed that the REGISTER made. */
  readonly onlyOwn: boolean;
  readonly echoesPath: boolean;
  readonly serviceRoute: readonly string[];
  /** Seconds. */
  readonly flowTimer: number | undefined;
  /** `undefined`: no device is woken. */
  readonly push: PushSettings | undefined;
}

/** What a 200 is made for. */
export interface Registered {
  readonly addressOfRecord: string;
  readonly bindings: readonly Binding[];
  /** Whether the REGISTER bound a flow. */
  readonly hasFlow: boolean;
  /** The time by the wall clock. */
  readonly now: number;
}

/** Answers to REGISTER. */
export class RegisterAnswers {
  readonly #rules: AnswerRules;
  readonly #gruus: Gruus | undefined;
  readonly #date = new DateText();

  constructor(rules: AnswerRules, gruus: Gruus | undefined) {
    this.#rules = rules;
    this.#gruus = gruus;
  }

  /** The 200 with every binding in force. RFC 3261 §10.3 step 8 */
  ok(request: Request, registered: Registered): Response {
    const { now } = registered;
    const { serviceRoute, onlyOwn, maxExpires, push } = this.#rules;
    const isPartial = onlyOwn && request.headers.has("contact");
    const headers: [name: string, value: string][] = [];
    for (const binding of registered.bindings) {
      if (binding.expiresAt <= now) continue;
      if (isPartial && !isOf(binding, request)) continue;
      const expires = Math.min(remainingSeconds(binding, now), maxExpires);
      const named = binding.params === "" ? "" : this.#gruusOf(request, registered, binding);
      // RFC 8599 §13: a device's token is nobody else's to know, another phone of the user neither.
      const isOwn = push === undefined || isOf(binding, request);
      const uri = isOwn ? binding.uri : withoutPush(binding.uri);
      headers.push(["Contact", `<${uri}>${binding.params}${named};expires=${expires}`]);
    }
    if (this.#rules.echoesPath && request.headers.has("path") && supports(request, "path")) {
      // RFC 3327 §5.3: the phone sees which way it will be reached.
      for (const hop of request.headers.getAll("path")) headers.push(["Path", hop]);
    }
    for (const hop of serviceRoute) headers.push(["Service-Route", hop]);
    if (registered.hasFlow) this.#tellOfFlow(request, headers);
    if (push !== undefined) {
      for (const caps of featureCaps(request, push)) headers.push(["Feature-Caps", caps]);
    }
    headers.push(["Date", this.#date.at(now)]);
    const response = request.createResponse(200, { headers });
    // §10.3: ignored in the request, never in a response.
    if (request.headers.has("record-route")) response.headers.delete("record-route");
    return response;
  }

  /** RFC 5627 §5.2 */
  #gruusOf(request: Request, { addressOfRecord }: Registered, binding: Binding): string {
    const gruus = this.#gruus;
    const { params, callId } = binding;
    if (gruus === undefined || !/instance/i.test(params)) return "";
    const { instance } = deviceOf(binding);
    // A static one has no REGISTER that its temporary ones would hold for.
    if (instance === undefined || callId === "" || !supports(request, "gruu")) return "";
    const lasting = gruus.publicOf(addressOfRecord, instance);
    const temporary = gruus.temporaryOf(addressOfRecord, instance, callId);
    return `;pub-gruu="${lasting}";temp-gruu="${temporary}"`;
  }

  /** RFC 5626 §6: the device learns that its flow counts, and how often to keep it alive when it is ours. */
  #tellOfFlow(request: Request, headers: [name: string, value: string][]): void {
    const { flowTimer } = this.#rules;
    headers.push(["Require", "outbound"]);
    if (flowTimer === undefined || request.headers.getAll("via").length > 1) return;
    headers.push(["Flow-Timer", String(flowTimer)]);
    // §5.4: the grace is for what takes long on its way. A UDP flow is over when its binding is.
    request.arrival?.from.connection?.expectBytes?.(flowTimer * 1_000 + KEEP_ALIVE_GRACE);
  }
}

/** Whether a binding is one that this REGISTER made. */
function isOf({ callId, cseq }: Binding, request: Request): boolean {
  return callId === request.callId && cseq === request.cseq.number;
}
