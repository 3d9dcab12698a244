import { timingSafeEqual } from "node:crypto";
import {
  KeyedHash,
  type Leg,
  type Request,
  type Response,
  type Server,
  type Via,
} from "@sipkit/core";
import { loopBranch } from "./loop.ts";

const COOKIE = "z9hG4bK";
const ID_LENGTH = 16;
const SEAL_LENGTH = 16;
/** The number of a leg, and of a connection where there is one. */
const PLACE = /^([0-9a-z]{1,3})(?:-([0-9a-z]{1,11}))?$/;

/** What a branch of ours says of the request that it was made for. */
export interface BranchFacts {
  readonly id: string;
  /** The leg that the request came in on. */
  readonly leg: Leg;
  /** The connection that it came over; left out for datagrams. */
  readonly connection: number | undefined;
}

/**
 * Branches of a proxy without transactions: the same for every copy of a request, and for its CANCEL and the ACK to its
 * failure. They say where the request came from, so that a response finds back without anything being kept here, and a
 * keyed hash tells them from what others make up.
 *
 * RFC 3261 §16.11
 */
export class StatelessBranches {
  readonly #server: Server;
  readonly #ids: KeyedHash;
  readonly #seals: KeyedHash;

  constructor(server: Server, secret: string | Uint8Array) {
    this.#server = server;
    this.#ids = new KeyedHash(secret, "stateless transaction");
    this.#seals = new KeyedHash(secret, "stateless branch");
  }

  /**
   * What a request, its retransmissions, its CANCEL, the ACK to its failure, and its responses have in common. `via` is
   * the one that the client put on. The branch alone would do, but for clients that have the same one on all requests.
   */
  idOf(message: Request | Response, via: Via | undefined): string {
    const { callId, fromTag, cseq } = message;
    const text = `${via?.branch}\n${via?.sentBy}\n${callId}\n${fromTag}\n${cseq.number}`;
    return this.#ids.of(text, ID_LENGTH);
  }

  /** A branch without its cookie. */
  make({ id, leg, connection }: BranchFacts, loopHash: string): string {
    const number = this.#server.legs.indexOf(leg).toString(36);
    const place = connection === undefined ? number : `${number}-${connection.toString(36)}`;
    // The number of a connection means something in this life of the process alone.
    const life = connection === undefined ? "" : this.#server.epoch;
    const text = `${id}\n${place}\n${loopHash}\n${leg.protocol}\n${leg.sentBy}\n${life}`;
    return loopBranch(id + this.#seals.of(text, SEAL_LENGTH) + place, loopHash);
  }

  /**
   * What the branch of a response's topmost Via says; `undefined` when it isn't ours, or was made for another request.
   * `next` is the Via below it.
   */
  read(branch: string, response: Response, next: Via): BranchFacts | undefined {
    const dot = branch.lastIndexOf(".");
    if (!branch.startsWith(COOKIE) || dot < 0) return undefined;
    const bare = branch.slice(COOKIE.length);
    const end = dot - COOKIE.length;
    const [, number, connection] = PLACE.exec(bare.slice(ID_LENGTH + SEAL_LENGTH, end)) ?? [];
    const leg = number === undefined ? undefined : this.#server.legs[Number.parseInt(number, 36)];
    if (leg === undefined) return undefined;
    const facts: BranchFacts = {
      id: this.idOf(response, next),
      leg,
      connection: connection === undefined ? undefined : Number.parseInt(connection, 36),
    };
    return isSame(this.make(facts, bare.slice(end + 1)), bare) ? facts : undefined;
  }
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one, "latin1"), Buffer.from(other, "latin1")];
  return a.length === b.length && timingSafeEqual(a, b);
}
