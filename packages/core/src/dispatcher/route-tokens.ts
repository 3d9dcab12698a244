import { timingSafeEqual } from "node:crypto";
import type { DialogRoute } from "../chain/dialog-route.ts";
import type { Request } from "../message/request.ts";
import { type FlowRef, formatFlow, parseFlow } from "../transport/flow.ts";
import { KeyedHash } from "./keyed-hash.ts";
import type { SecretRing } from "./secret-ring.ts";

const MAC_LENGTH = 22;
const PURPOSE = "route token";
/** How what is signed begins in a token of no dialog's, where others begin with their side. */
const PATH = "p";

/**
 * The user part of our Record-Route URIs: which side of a dialog a request goes to, over which flow, and a keyed hash
 * that ties both to the dialog's Call-ID and the tag of who opened it. So a Route that we did not hand out for this
 * very dialog opens no door.
 *
 * RFC 5626 §5.2, §5.3
 */
export class RouteTokens {
  readonly #hash: KeyedHash;
  /** Of secrets that only know their tokens again. */
  readonly #earlier: readonly KeyedHash[];

  constructor([current, ...earlier]: SecretRing) {
    this.#hash = new KeyedHash(current, PURPOSE);
    this.#earlier = earlier.map((secret) => new KeyedHash(secret, PURPOSE));
  }

  /** A token for the dialog that `request` opens. */
  sign(request: Request, side: "a" | "b", flow: FlowRef | undefined): string {
    const content =
      side + (flow === undefined ? "" : Buffer.from(formatFlow(flow)).toString("base64url"));
    return this.#hash.of(signed(content, request.callId, request.from.tag), MAC_LENGTH) + content;
  }

  /** A token for whoever is to reach a device over that flow: it is tied to no dialog. */
  signFlow(flow: FlowRef): string {
    const content = PATH + Buffer.from(formatFlow(flow)).toString("base64url");
    return this.#hash.of(signed(content, "", ""), MAC_LENGTH) + content;
  }

  /** What a token says, or `undefined` when it was not made here, or not for the dialog of `request`. */
  verify(token: string, request: Request): DialogRoute | undefined {
    const content = token.slice(MAC_LENGTH);
    const side = content[0];
    if (side === PATH) return this.#verifyPath(token, content);
    if (side !== "a" && side !== "b") return undefined;
    // What goes to the callee's side comes from the caller, whose tag is in From; the other way it is in To.
    const initiator = side === "b" ? request.from.tag : request.to.tag;
    if (!this.#isOurs(token, signed(content, request.callId, initiator))) return undefined;
    return { side, flow: content.length === 1 ? undefined : flowIn(content) };
  }

  #verifyPath(token: string, content: string): DialogRoute | undefined {
    if (!this.#isOurs(token, signed(content, "", ""))) return undefined;
    const flow = flowIn(content);
    return flow && { side: "b", flow, byPath: true };
  }

  #isOurs(token: string, text: string): boolean {
    const isOf = (key: KeyedHash): boolean => isSame(token, key.of(text, MAC_LENGTH));
    return isOf(this.#hash) || this.#earlier.some(isOf);
  }
}

/** What a token's hash is over. */
function signed(content: string, callId: string, initiator: string | undefined): string {
  return [content, callId, initiator].join("\n");
}

/** The flow that a token names, whoever made it; `undefined` where it names none, and for what is no token. */
export function flowInToken(token: string): FlowRef | undefined {
  return flowIn(token.slice(MAC_LENGTH));
}

/** Whether a token begins with the hash that it must begin with. */
function isSame(token: string, mac: string): boolean {
  const given = Buffer.from(token.slice(0, MAC_LENGTH), "latin1");
  const owed = Buffer.from(mac, "latin1");
  return given.length === owed.length && timingSafeEqual(given, owed);
}

function flowIn(content: string): FlowRef | undefined {
  return parseFlow(Buffer.from(content.slice(1), "base64url").toString("latin1"));
}
