import { Buffer } from "node:buffer";
import {
  type AnyHandler,
  identity,
  type Peer,
  Reject,
  Request,
  type Response,
  SipError,
} from "@sipkit/core";
import { TestServer, type TestServerOptions } from "@sipkit/core/testing";
import { describe, expect, it } from "vitest";
import { type AuthFailure, failureLine } from "./auth-failure.ts";
import { Authorize } from "./authorize.ts";
import { authorize } from "./authorize-request.ts";
import type { Credentials } from "./credentials.ts";
import { Throttle } from "./throttle.ts";
import type { ThrottleOptions } from "./throttle-options.ts";

const users: Credentials = { alice: "secret", bob: "other", carol: "third" };

/** Where a phone is; every request of its own port is of one flow. */
type Place = Partial<Peer> & { readonly address: string; readonly port: number };

const at = (address: string, port: number = 5060): Place => ({ address, port });

let calls = 0;

function make(method: string, user: string): Request {
  calls += 1;
  const uri = method === "REGISTER" ? "sip:example.com" : "sip:carol@example.com";
  return new Request(method, uri, {
    headers: {
      Via: `SIP/2.0/UDP phone.invalid;branch=z9hG4bK${calls};rport`,
      "Max-Forwards": "70",
      From: `<sip:${user}@example.com>;tag=1`,
      To: `<sip:${user}@example.com>`,
      "Call-ID": `${calls}@phone`,
      CSeq: `1 ${method}`,
      Contact: `<sip:${user}@phone.invalid>`,
    },
  });
}

/** A server with a throttle, and what its operator is told. */
class Site {
  readonly server: TestServer;
  readonly throttle: Throttle;
  readonly failures: AuthFailure[];

  private constructor(server: TestServer, throttle: Throttle, failures: AuthFailure[]) {
    this.server = server;
    this.throttle = throttle;
    this.failures = failures;
  }

  static async open(
    options: ThrottleOptions = {},
    credentials: Credentials = users,
    how: TestServerOptions & { readonly before?: readonly AnyHandler[] } = {},
  ): Promise<Site> {
    const { before = [], ...rest } = how;
    const failures: AuthFailure[] = [];
    const throttle = new Throttle({ onFailure: (failure) => failures.push(failure), ...options });
    const server = await TestServer.start(
      [
        ...before,
        throttle,
        new Authorize({ realm: "example.com", credentials, allowPings: true }),
        (packet) => packet.isRequest && packet.method !== "ACK" && packet.createResponse(200),
      ],
      rest,
    );
    return new Site(server, throttle, failures);
  }

  /** The status of the answer; 0: there is none. */
  async send(request: Request | string, from: Place): Promise<number> {
    return (await this.answer(request, from))?.status ?? 0;
  }

  async answer(request: Request | string, from: Place): Promise<Response | undefined> {
    const { sent } = await this.server.ask(request, { from });
    expect(sent.length).toBeLessThan(2);
    return sent[0] as Response | undefined;
  }

  /** A REGISTER, and where it is challenged the answer to that. Gives the last status, 0 for none. */
  async register(
    user: string,
    password: string,
    from: Place,
    claimed: string = user,
    callId?: string,
  ): Promise<number> {
    const request = make("REGISTER", claimed);
    if (callId !== undefined) request.headers.set("call-id", callId);
    const challenge = await this.answer(request, from);
    if (challenge?.status !== 401) return challenge?.status ?? 0;
    const again = request.clone();
    calls += 1;
    again.headers.set("via", `SIP/2.0/UDP phone.invalid;branch=z9hG4bK${calls};rport`);
    expect(authorize(again, challenge, [user, password])).toBe(true);
    return this.send(again, from);
  }

  async guess(user: string, times: number, from: Place): Promise<readonly number[]> {
    const told: number[] = [];
    for (let i = 0; i < times; i++) told.push(await this.register(user, `guess ${i}`, from));
    return told;
  }

  count(name: string): number {
    return this.server.dispatcher.counters()[name] ?? 0;
  }

  advance(ms: number): Promise<void> {
    return this.server.clock.advance(ms);
  }
}

const phone = at("192.0.2.7", 1000);
const neighbour = at("192.0.2.7", 2000);
const elsewhere = at("198.51.100.9");

const limits: ThrottleOptions = {
  perAddress: { failures: 6, first: 60_000, longest: 300_000, forgetAfter: 600_000 },
  perUser: { failures: 8, first: 60_000, longest: 120_000, forgetAfter: 600_000 },
  perUserAtAddress: { failures: 3, first: 30_000, longest: 240_000, forgetAfter: 600_000 },
};

/** Bans an address by guesses for many users. */
async function ban(site: Site, from: Place): Promise<void> {
  for (let i = 0; i < 6; i++) await site.register(`nobody${i}`, "guess", from);
  expect(await site.register("nobody", "guess", from)).toBe(0);
}

describe("failures of an address", () => {
  it("ban it, without an answer, and the ban ends by itself", async () => {
    const site = await Site.open(limits);
    await ban(site, neighbour);
    expect(await site.send(make("OPTIONS", "x"), neighbour)).toBe(0);
    expect(site.throttle.bans()).toEqual([{ address: "192.0.2.7", left: 60_000 }]);
    expect(site.count("bannedAddresses")).toBe(1);
    expect(site.count("bannedRequests")).toBe(2);
    await site.advance(59_999);
    expect(await site.register("bob", "other", neighbour)).toBe(0);
    await site.advance(1);
    expect(await site.register("bob", "other", neighbour)).toBe(200);
    expect(site.throttle.bans()).toEqual([]);
  });

  it("ban it for twice as long each time, up to a bound, until it was quiet for long", async () => {
    const site = await Site.open(limits);
    await ban(site, neighbour);
    const lengths: number[] = [];
    for (const user of ["u1", "u2", "u3", "u4"]) {
      await site.advance(site.throttle.bans()[0]?.left ?? 0);
      expect(await site.register(user, "guess", neighbour)).toBe(401);
      lengths.push(site.throttle.bans()[0]?.left ?? 0);
    }
    expect(lengths).toEqual([120_000, 240_000, 300_000, 300_000]);
    await site.advance(300_000 + 600_000);
    expect(await site.register("u5", "guess", neighbour)).toBe(401);
    expect(site.throttle.bans()).toEqual([]);
  });

  it("are those of the whole /64 of an IPv6 address", async () => {
    const site = await Site.open(limits, users, { leg: "udp:[2001:db8::1]:5060" });
    for (let i = 0; i < 6; i++) {
      await site.register(`nobody${i}`, "guess", at(`2001:db8:0:7::${i + 1}`));
    }
    expect(await site.register("bob", "other", at("2001:db8:0:7:a:b:c:d"))).toBe(0);
    expect(await site.register("bob", "other", at("2001:db8:0:8::1"))).toBe(200);
    expect(site.throttle.bans()).toEqual([{ address: "2001:db8:0:7::/64", left: 60_000 }]);
    site.throttle.pardon("2001:db8:0:7::99");
    expect(await site.register("bob", "other", at("2001:db8:0:7:a:b:c:d"))).toBe(200);
  });

  it("are one host's when its address comes in IPv6's clothes", async () => {
    const site = await Site.open(limits, users, { leg: "udp:[2001:db8::1]:5060" });
    await ban(site, at("::ffff:192.0.2.7"));
    expect(await site.register("bob", "other", at("192.0.2.7"))).toBe(0);
    expect(await site.register("bob", "other", at("::ffff:192.0.2.8"))).toBe(200);
    expect(site.failures[0]?.address).toBe("192.0.2.7");
  });

  it.each([
    [403, undefined],
    [503, "60"],
  ] as const)("are answered %i where that is wanted", async (answer, after) => {
    const site = await Site.open({ ...limits, answer });
    for (let i = 0; i < 6; i++) await site.register(`nobody${i}`, "guess", neighbour);
    const response = await site.answer(make("REGISTER", "bob"), neighbour);
    expect(response?.status).toBe(answer);
    expect(response?.headers.get("retry-after")).toBe(after);
  });

  it("don't count where the address is on the list", async () => {
    const site = await Site.open({ ...limits, allow: ["192.0.2.0/29", "2001:db8::/32"] });
    const told = await site.guess("bob", 20, neighbour);
    expect(new Set(told)).toEqual(new Set([401]));
    await ban(site, at("192.0.2.8"));
    expect(site.count("bannedAddresses")).toBe(1);
  });

  it("leave ACK and what an earlier handler has proved alone", async () => {
    const gateway: AnyHandler = (packet) => {
      if (!packet.isRequest || packet.method !== "MESSAGE") return;
      const addressOfRecord = "sip:gw@example.com";
      packet.set(identity, { user: "gw", realm: "x", addressOfRecord, scheme: "address" });
    };
    const site = await Site.open(limits, users, { before: [gateway] });
    await ban(site, neighbour);
    const banned = site.count("bannedRequests");
    await site.send(make("ACK", "bob"), neighbour);
    expect(site.count("bannedRequests")).toBe(banned);
    expect(site.count("unclaimedAcks")).toBe(1);
    await site.send(make("MESSAGE", "bob"), neighbour);
    expect(site.count("bannedRequests")).toBe(banned);
  });
});

describe("a phone with the right password behind the address of a guesser", () => {
  it("goes on over its flow, and over another one", async () => {
    const site = await Site.open(limits);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    await ban(site, neighbour);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    // Its NAT has given it another port.
    expect(await site.register("alice", "secret", at("192.0.2.7", 3000))).toBe(200);
    expect(await site.register("bob", "other", at("192.0.2.7", 3000))).toBe(0);
  });

  it("goes on while it is its own password that the neighbour guesses", async () => {
    const site = await Site.open(limits);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    expect(await site.guess("alice", 5, neighbour)).toEqual([401, 401, 401, 0, 0]);
    expect(site.count("credentialsHeldBack")).toBe(2);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    // Her phone's registrations make no room for more of his guesses.
    expect(await site.guess("alice", 1, neighbour)).toEqual([0]);
  });

  it("goes on from another port, known by its Call-ID, while its own password is guessed", async () => {
    const site = await Site.open(limits);
    const callId = "9c8a1e4f@phone";
    expect(await site.register("alice", "secret", phone, "alice", callId)).toBe(200);
    await site.guess("alice", 4, neighbour);
    const moved = at("192.0.2.7", 3000);
    expect(await site.register("alice", "secret", moved, "alice", callId)).toBe(200);
    expect(await site.register("alice", "secret", at("192.0.2.7", 4000))).toBe(0);
    // A neighbour who has read it has one guess, and it is worth nothing any more.
    await site.register("alice", "secret", phone, "alice", callId);
    await site.guess("alice", 4, neighbour);
    const thief = at("192.0.2.7", 5000);
    expect(await site.register("alice", "guess", thief, "alice", callId)).toBe(401);
    expect(await site.register("alice", "guess", thief, "alice", callId)).toBe(0);
    const long = "x".repeat(257);
    expect(await site.register("bob", "other", phone, "bob", long)).toBe(200);
    await site.guess("bob", 3, neighbour);
    expect(await site.register("bob", "other", moved, "bob", long)).toBe(0);
  });

  it("goes on over its connection", async () => {
    const site = await Site.open(limits, users, { leg: "tcp:192.0.2.1:5060" });
    expect(await site.register("alice", "secret", phone)).toBe(200);
    await ban(site, neighbour);
    expect(await site.register("alice", "secret", phone)).toBe(200);
  });

  it("goes on where its name in From is another than the one that it proves", async () => {
    const site = await Site.open(limits);
    // 403: the credentials are right, and line7 isn't hers to register.
    expect(await site.register("alice", "secret", phone, "line7")).toBe(403);
    await ban(site, neighbour);
    expect(await site.register("alice", "secret", at("192.0.2.7", 3000), "line7")).toBe(403);
    expect(await site.register("alice", "secret", at("192.0.2.7", 4000), "line8")).toBe(0);
  });

  it("opens no way for the neighbour: his guesses for another over its name are not looked at", async () => {
    const site = await Site.open(limits);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    await ban(site, neighbour);
    // He claims to be alice, is challenged, and tries bob's password.
    expect(await site.register("bob", "other", neighbour, "alice")).toBe(0);
    expect(site.count("credentialsHeldBack")).toBe(1);
  });

  it("is known for a time", async () => {
    const site = await Site.open({ ...limits, knownFor: 10_000 });
    expect(await site.register("alice", "secret", phone)).toBe(200);
    await site.advance(10_000);
    await ban(site, neighbour);
    expect(await site.register("alice", "secret", phone)).toBe(0);
  });
});

describe("guesses at one user's password", () => {
  it("from one address end with the user there, and leave the address and the user to others", async () => {
    const site = await Site.open(limits);
    expect(await site.guess("alice", 4, neighbour)).toEqual([401, 401, 401, 0]);
    expect(await site.register("bob", "other", neighbour)).toBe(200);
    expect(await site.register("alice", "secret", elsewhere)).toBe(200);
    await site.advance(30_000);
    expect(await site.guess("alice", 2, neighbour)).toEqual([401, 0]);
    await site.advance(30_000);
    expect(await site.guess("alice", 1, neighbour)).toEqual([0]);
  });

  it("from many addresses end, but not for the phone that proved itself", async () => {
    const site = await Site.open(limits);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    const told: number[] = [];
    for (let i = 1; i <= 12; i++)
      told.push(...(await site.guess("alice", 1, at(`203.0.113.${i}`))));
    expect(told).toEqual([...Array(8).fill(401), ...Array(4).fill(0)]);
    expect(site.throttle.bans()).toEqual([]);
    expect(site.count("lockedUsers")).toBe(1);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    expect(await site.register("alice", "secret", at("192.0.2.7", 3000))).toBe(200);
    // Her right password from a new place waits, else it would be told from a wrong one.
    expect(await site.register("alice", "secret", elsewhere)).toBe(0);
    await site.advance(60_000);
    expect(await site.register("alice", "secret", elsewhere)).toBe(200);
  });

  it("go on being counted though the user's own phone proves itself meanwhile", async () => {
    const site = await Site.open(limits);
    const told: number[] = [];
    for (let i = 1; i <= 9; i++) {
      expect(await site.register("alice", "secret", phone)).toBe(200);
      told.push(...(await site.guess("alice", 1, at(`203.0.113.${i}`))));
    }
    expect(told).toEqual([...Array(8).fill(401), 0]);
  });

  it("are not made room for by an account of the guesser's", async () => {
    const site = await Site.open(limits);
    const told: number[] = [];
    for (let i = 0; i < 7; i++) {
      expect(await site.register("bob", "other", neighbour)).toBe(200);
      told.push(await site.register(`user${i}`, "guess", at("192.0.2.7", 7000 + i)));
    }
    expect(told).toEqual([...Array(6).fill(401), 0]);
  });

  it("are forgiven when the user finds it", async () => {
    const site = await Site.open(limits);
    for (let round = 0; round < 6; round++) {
      expect(await site.guess("alice", 2, elsewhere)).toEqual([401, 401]);
      expect(await site.register("alice", "secret", elsewhere)).toBe(200);
    }
    expect(site.throttle.bans()).toEqual([]);
    expect(site.count("lockedUsers")).toBe(0);
  });

  it("can be forgiven by the operator", async () => {
    const site = await Site.open(limits);
    for (let i = 1; i <= 8; i++) await site.guess("alice", 1, at(`203.0.113.${i}`));
    expect(await site.register("alice", "secret", elsewhere)).toBe(0);
    site.throttle.pardonUser("alice", "example.com");
    expect(await site.register("alice", "secret", elsewhere)).toBe(200);
  });

  it("end the trust in the flow that they come over", async () => {
    const site = await Site.open(limits);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    expect(await site.guess("alice", 4, phone)).toEqual([401, 401, 401, 0]);
  });

  it("are the same for users who exist and who don't", async () => {
    const site = await Site.open(limits);
    const real = await site.guess("alice", 5, at("203.0.113.1"));
    const none = await site.guess("mallory", 5, at("203.0.113.2"));
    expect(none).toEqual(real);
  });

  it("come no more than sixteen at once while the store looks the user up", async () => {
    const waiting: (() => void)[] = [];
    const site = await Site.open(
      { ...limits, rate: { requests: 1000 } },
      (user) => new Promise((found) => waiting.push(() => found(user === "bob" ? "other" : "x"))),
    );
    const challenged = make("REGISTER", "alice");
    const challenge = (await site.answer(challenged, elsewhere)) as Response;
    for (let i = 0; i < 40; i++) {
      const request = make("REGISTER", "alice");
      expect(authorize(request, challenge, ["alice", `guess ${i}`])).toBe(true);
      void site.server.ask(request, { from: at(`203.0.113.${i}`) });
    }
    expect(waiting).toHaveLength(16);
    expect(site.count("credentialsHeldBack")).toBe(24);
    for (const found of waiting) found();
    await site.advance(0);
    expect(site.count("wrongCredentials")).toBe(16);
  });
});

describe("what is no failure", () => {
  it("is a first request, however many come, as long as they are answered", async () => {
    const site = await Site.open(limits);
    for (let i = 0; i < 500; i++) {
      expect(await site.register("alice", "secret", at("192.0.2.7", 1000 + i))).toBe(200);
    }
    expect(site.failures).toEqual([]);
  });

  it("is an old nonce", async () => {
    const site = await Site.open({ ...limits, rate: { requests: 1000 } });
    const challenge = (await site.answer(make("REGISTER", "alice"), phone)) as Response;
    await site.advance(301_000);
    for (let i = 0; i < 20; i++) {
      const request = make("REGISTER", "alice");
      authorize(request, challenge, ["alice", "secret"]);
      const told = await site.answer(request, phone);
      expect(told?.headers.get("www-authenticate")).toContain("stale=true");
    }
    expect(site.failures).toEqual([]);
  });

  it("is a nonce that nobody here made, as phones have them after a restart", async () => {
    const before = await Site.open();
    const challenge = (await before.answer(make("REGISTER", "alice"), phone)) as Response;
    const site = await Site.open({ ...limits, rate: { requests: 1000 } });
    for (let i = 0; i < 20; i++) {
      const request = make("REGISTER", "alice");
      authorize(request, challenge, ["alice", "secret"]);
      expect(await site.send(request, at("192.0.2.7", 1000 + i))).toBe(401);
    }
    expect(site.failures).toEqual([]);
    expect(await site.register("bob", "other", phone)).toBe(200);
  });

  it("is a store that fails", async () => {
    let isDown = true;
    const site = await Site.open(limits, (user) => {
      if (isDown && user === "alice") throw new Reject(503);
      if (isDown) return Promise.reject(new Error("connection refused"));
      return "secret";
    });
    for (let i = 0; i < 10; i++) {
      expect(await site.register("alice", "secret", phone)).toBe(503);
      expect(await site.register("bob", "secret", phone)).toBe(500);
    }
    isDown = false;
    expect(await site.register("alice", "secret", phone)).toBe(200);
    expect(await site.register("bob", "secret", phone)).toBe(200);
  });
});

describe("requests that nobody proves", () => {
  const rate: ThrottleOptions = { rate: { requests: 10, interval: 1000 } };

  it("pass at a rate, and not faster", async () => {
    const site = await Site.open(rate);
    const flood = async (count: number): Promise<number> => {
      let answered = 0;
      for (let i = 0; i < count; i++) {
        if ((await site.send(make("INVITE", `u${i}`), neighbour)) === 407) answered += 1;
      }
      return answered;
    };
    expect(await flood(30)).toBe(10);
    expect(await flood(30)).toBe(0);
    await site.advance(500);
    expect(await flood(30)).toBe(5);
    expect(site.count("unprovedOverRate")).toBe(75);
    expect(await site.send(make("INVITE", "u"), elsewhere)).toBe(407);
  });

  it("are told once when they come too fast, and again after a pause", async () => {
    const site = await Site.open(rate);
    for (let i = 0; i < 30; i++) await site.send(make("INVITE", "u"), neighbour);
    await site.advance(1000);
    for (let i = 0; i < 30; i++) await site.send(make("INVITE", "u"), neighbour);
    expect(site.failures).toMatchObject([
      { reason: "rate", address: "192.0.2.7", port: 2000, bannedFor: 0, lockedFor: 0 },
      { reason: "rate" },
    ]);
    expect(site.failures[0]).not.toHaveProperty("user");
  });

  it("don't use up what a phone behind the same address needs that has proved itself", async () => {
    const site = await Site.open(rate);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    for (let i = 0; i < 100; i++) await site.send(make("INVITE", `u${i}`), neighbour);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    expect(await site.register("alice", "secret", at("192.0.2.7", 3000))).toBe(200);
  });

  it("have a bound also where the flow is known, or its user's name is claimed", async () => {
    const site = await Site.open(rate);
    expect(await site.register("alice", "secret", phone)).toBe(200);
    for (const from of [phone, neighbour]) {
      let answered = 0;
      for (let i = 0; i < 30; i++) {
        if ((await site.send(make("INVITE", "alice"), from)) === 407) answered += 1;
      }
      expect(answered).toBe(10);
    }
  });
});

describe("what is remembered", () => {
  it("has a bound, whoever sends from wherever: the oldest failures are forgotten", async () => {
    const site = await Site.open({
      ...limits,
      maxAddresses: 4,
      maxUsers: 4,
      maxKnown: 2,
      rate: { requests: 3, interval: 1_000_000 },
    });
    for (let i = 1; i <= 6; i++) await site.register(`nobody${i}`, "guess", at(`203.0.113.${i}`));
    // Two addresses, two users and two pairs of them.
    expect(site.count("forgottenFailures")).toBe(6);
    for (const [i, user] of ["alice", "bob", "carol"].entries()) {
      const password = ["secret", "other", "third"][i] ?? "";
      expect(await site.register(user, password, at(`198.51.100.${i}`))).toBe(200);
    }
    // Of each of two: its flow and its Call-ID; and the user with the name that was claimed.
    expect(site.count("forgottenKnownSenders")).toBe(8);
  });

  it("of floods from ever new addresses stays small, and an address that is banned stays so", async () => {
    const site = await Site.open({ ...limits, maxAddresses: 100 });
    await ban(site, neighbour);
    for (let i = 0; i < 2000; i++) {
      await site.send(make("REGISTER", `u${i}`), at(`10.0.${i >> 8}.${i & 255}`));
    }
    expect(await site.send(make("REGISTER", "bob"), neighbour)).toBe(0);
    expect(site.server.clock.pending).toBe(0);
  });
});

describe("the operator", () => {
  it("is told of each failure, with its source and what it led to", async () => {
    const site = await Site.open(limits);
    await site.guess("alice", 3, neighbour);
    expect(site.failures).toMatchObject([
      {
        reason: "credentials",
        address: "192.0.2.7",
        port: 2000,
        protocol: "udp",
        method: "REGISTER",
        user: "alice",
        bannedFor: 0,
        lockedFor: 0,
      },
      { lockedFor: 0 },
      { lockedFor: 30_000, bannedFor: 0 },
    ]);
  });

  it("hears of a listener that throws, and nobody else notices", async () => {
    const site = await Site.open({
      onFailure: () => {
        throw new Error("disk full");
      },
    });
    expect(await site.register("alice", "guess", phone)).toBe(401);
    expect(site.server.errors).toMatchObject([{ code: "SIP_LISTENER" }]);
  });

  it("reads a line that a stranger can't shape", async () => {
    const failure: AuthFailure = {
      at: 1_780_000_000_000,
      reason: "credentials",
      address: "192.0.2.7",
      port: 5060,
      protocol: "udp",
      method: "REGISTER",
      user: "x reason=ok\r\nfrom=198.51.100.1 \u001b[31mé\ud800%",
      bannedFor: 0,
      lockedFor: 0,
    };
    expect(failureLine(failure)).toBe(
      "2026-05-28T20:26:40.000Z sipkit auth failure from=192.0.2.7 " +
        "user=x%20reason%3Dok%0D%0Afrom%3D198.51.100.1%20%1B%5B31m%C3%A9%EF%BF%BD%25 " +
        "reason=credentials method=REGISTER",
    );
    expect(failureLine({ ...failure, user: "a".repeat(1000) })).toContain(
      ` user=${"a".repeat(64)} `,
    );
    const { user: _, ...anonymous } = failure;
    expect(failureLine(anonymous)).toContain(" user=- ");
    expect(Buffer.byteLength(failureLine({ ...failure, method: "€".repeat(900) }))).toBeLessThan(
      1000,
    );
  });
});

describe("options", () => {
  it.each<[string, ThrottleOptions]>([
    ["no failure at all", { perAddress: { failures: 0 } }],
    ["a time that is none", { perUser: { first: Number.NaN } }],
    ["a rate of nothing", { rate: { requests: 0 } }],
    ["no room", { maxAddresses: 0 }],
    ["a name for an address", { allow: ["phone.example.com"] }],
    ["a block that is too narrow", { allow: ["192.0.2.0/33"] }],
    ["a block that isn't one", { allow: ["192.0.2.0/2/4"] }],
    ["another answer", { answer: 200 as 403 }],
  ])("refuses %s", (_what, options) => {
    expect(() => new Throttle(options)).toThrow(SipError);
    expect(() => new Throttle(options)).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });
});
