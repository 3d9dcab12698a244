import {
  Dispatcher,
  type DispatcherOptions,
  type DnsResolverOptions,
  dnsResolver,
  type LegAddress,
  type NextHop,
  Request,
} from "@sipkit/core";
import { VirtualClock } from "@sipkit/core/testing";
import { afterEach, describe, expect, inject, it } from "vitest";
import { type DnsServer, startDnsmasq } from "./dnsmasq.ts";
import { freePort } from "./free-port.ts";
import { endPrograms } from "./program.ts";
import { removeScratchFolders } from "./scratch.ts";

const dispatchers: Dispatcher[] = [];

afterEach(async () => {
  await Promise.all(dispatchers.splice(0).map((dispatcher) => dispatcher.close()));
  await endPrograms();
  await removeScratchFolders();
});

async function listening(options: DispatcherOptions): Promise<Dispatcher> {
  const dispatcher = new Dispatcher(options);
  dispatchers.push(dispatcher);
  await dispatcher.listen();
  return dispatcher;
}

/** Somebody who sends by UDP and TCP, and asks that DNS server. */
function caller(dns: DnsServer, more: Partial<DispatcherOptions> = {}): Promise<Dispatcher> {
  return listening({
    legs: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"],
    resolver: dnsResolver({ servers: [dns.address] }),
    ...more,
  });
}

/** A server that answers everything with 200, and a name for how it was reached: `tcp 127.0.0.1`. */
async function callee(...legs: readonly LegAddress[]): Promise<{ readonly reached: string[] }> {
  const reached: string[] = [];
  await listening({
    legs,
    receiver: {
      name: "callee",
      receive(request) {
        if (!request.isRequest || request.method === "ACK") return "drop";
        const leg = request.arrival?.leg;
        reached.push(`${leg?.protocol} ${leg?.address} ${leg?.port}`);
        return request.createResponse(200);
      },
    },
  });
  return { reached };
}

let calls = 0;

function request(method: string, uri: string): Request {
  calls += 1;
  return new Request(method, uri, {
    headers: {
      From: "<sip:alice@caller.test>;tag=1",
      To: `<${uri}>`,
      "Call-ID": `${calls}@caller.test`,
      CSeq: `1 ${method}`,
      "Max-Forwards": "70",
      Contact: "<sip:alice@127.0.0.1>",
    },
  });
}

function written({ protocol, address, port }: NextHop): string {
  return `${protocol} ${address} ${port}`;
}

describe.skipIf(inject("missingTools").includes("dnsmasq"))("With dnsmasq, a request", () => {
  it.each(["INVITE", "REGISTER"])("%s goes where NAPTR, SRV and A lead: by TCP", async (method) => {
    const [port, otherPort] = [await freePort(), await freePort()];
    const dns = await startDnsmasq([
      'naptr-record=sip.test,100,50,s,SIP+D2U,"",_sip._udp.sip.test',
      'naptr-record=sip.test,90,50,s,SIP+D2T,"",_sip._tcp.pool.test',
      'naptr-record=sip.test,10,50,s,SIPS+D2T,"",_sips._tcp.sip.test',
      `srv-host=_sip._udp.sip.test,a.test,${otherPort}`,
      `srv-host=_sip._tcp.pool.test,b.test,${port}`,
      "host-record=a.test,127.0.0.1",
      "host-record=b.test,127.0.0.2",
    ]);
    const { reached } = await callee(
      `udp:127.0.0.1:${otherPort}`,
      ...([`udp:127.0.0.2:${port}`, `tcp:127.0.0.2:${port}`] as const),
    );
    const alice = await caller(dns);

    const response = await alice.request(request(method, "sip:bob@sip.test")).final;

    expect(response.status).toBe(200);
    expect(reached).toEqual([`tcp 127.0.0.2 ${port}`]);
    expect(await dns.asked()).toEqual(["NAPTR sip.test", "SRV _sip._tcp.pool.test", "A b.test"]);
    expect(alice.counters()).toMatchObject({ dnsQueries: 3, dnsFailures: 0, dnsRefused: 0 });
  });

  it.each([
    ["UDP", "udp", "127.0.0.3"],
    ["TCP", "tcp", "127.0.0.3"],
  ] as const)(
    "over %s gets to the second target when nothing listens at the first",
    async (_, protocol, dead) => {
      const port = await freePort();
      const dns = await startDnsmasq([
        `srv-host=_sip._${protocol}.sip.test,dead.test,${port},10`,
        `srv-host=_sip._${protocol}.sip.test,live.test,${port},20`,
        `host-record=dead.test,${dead}`,
        "host-record=live.test,127.0.0.1",
      ]);
      const { reached } = await callee(`udp:127.0.0.1:${port}`, `tcp:127.0.0.1:${port}`);
      const alice = await caller(dns, { t1: 25 });
      const uri = `sip:bob@sip.test;transport=${protocol}`;
      const send = async (): Promise<number> =>
        (await alice.request(request("INVITE", uri)).final).status;

      expect(await send()).toBe(200);
      expect(reached).toEqual([`${protocol} 127.0.0.1 ${port}`]);
      expect(alice.counters()).toMatchObject({ failovers: 1 });
      // The dead one is set aside: the next request goes straight to the living one.
      expect(await send()).toBe(200);
      expect(alice.counters()).toMatchObject({ failovers: 1 });
    },
  );

  it("goes to a name that has no services at the port that it names", async () => {
    const port = await freePort();
    const dns = await startDnsmasq(["host-record=plain.test,127.0.0.2"]);
    const { reached } = await callee(`udp:127.0.0.2:${port}`, `tcp:127.0.0.2:${port}`);
    const alice = await caller(dns);

    const response = await alice.request(request("MESSAGE", `sip:bob@plain.test:${port}`)).final;

    expect(response.status).toBe(200);
    expect(reached).toEqual([`udp 127.0.0.2 ${port}`]);
    expect(await dns.asked()).toEqual(["A plain.test"]);
  });

  it("fails clearly for a name that doesn't exist, and asks no server again for it", async () => {
    const dns = await startDnsmasq([]);
    const alice = await caller(dns);
    const send = (): Promise<unknown> => alice.request(request("MESSAGE", "sip:bob@no.test")).final;
    const failure = {
      code: "SIP_NO_ADDRESS",
      message: "no address for no.test: there is no such name",
    };

    await expect(send()).rejects.toMatchObject(failure);
    const questions = ["NAPTR no.test", "SRV _sip._udp.no.test", "SRV _sip._tcp.no.test"];
    expect(await dns.asked()).toEqual([...questions, "A no.test"]);
    await expect(send()).rejects.toMatchObject(failure);
    expect(await dns.asked()).toEqual([]);
  });
});

describe.skipIf(inject("missingTools").includes("dnsmasq"))("With dnsmasq, a resolver", () => {
  const resolving = (dns: DnsServer, more: DnsResolverOptions = {}) => {
    const resolver = dnsResolver({ servers: [dns.address], ...more });
    return async (uri: string): Promise<readonly string[]> =>
      (await resolver.resolve(uri)).map(written);
  };

  it("finds a name without services at the default port, in both families", async () => {
    const dns = await startDnsmasq(["host-record=plain.test,192.0.2.1,2001:db8::1"]);
    expect(await resolving(dns)("sip:plain.test")).toEqual([
      "udp 192.0.2.1 5060",
      "udp 2001:db8::1 5060",
    ]);
    expect(await dns.asked()).toEqual([
      ...["NAPTR plain.test", "SRV _sip._udp.plain.test", "SRV _sip._tcp.plain.test"],
      ...["A plain.test", "AAAA plain.test"],
    ]);
  });

  it("asks for TLS alone where the URI is a sips one", async () => {
    const dns = await startDnsmasq([
      'naptr-record=sip.test,1,50,s,SIP+D2U,"",_sip._udp.sip.test',
      "srv-host=_sips._tcp.sip.test,a.test,5062",
      "srv-host=_sip._udp.sip.test,a.test,5063",
      "host-record=a.test,192.0.2.1",
    ]);
    expect(await resolving(dns)("sips:sip.test")).toEqual(["tls 192.0.2.1 5062"]);
    expect(await dns.asked()).not.toContain("SRV _sip._udp.sip.test");
  });

  it("takes the root as a target for a no", async () => {
    const dns = await startDnsmasq([
      "srv-host=_sip._udp.sip.test",
      "host-record=sip.test,192.0.2.1",
    ]);
    await expect(resolving(dns)("sip:sip.test;transport=udp")).rejects.toThrow(
      "has no such service",
    );
  });

  it("reads an answer that is too large for a datagram", async () => {
    const hosts = Array.from({ length: 30 }, (_, n) => n + 1);
    const dns = await startDnsmasq([
      "edns-packet-max=512",
      ...hosts.map((n) => `srv-host=_sip._tcp.sip.test,host-with-a-long-name-${n}.test,5060,${n}`),
      ...hosts.map((n) => `host-record=host-with-a-long-name-${n}.test,192.0.2.${n}`),
    ]);
    expect(await resolving(dns)("sip:sip.test;transport=tcp")).toEqual(
      hosts.slice(0, 16).map((n) => `tcp 192.0.2.${n} 5060`),
    );
    // Once more by TCP, since the first answer was cut short.
    const services = (await dns.asked()).filter((question) => question.startsWith("SRV"));
    expect(services).toEqual(Array(2).fill("SRV _sip._tcp.sip.test"));
  });

  it("asks again when an address is as old as DNS allows", async () => {
    const dns = await startDnsmasq(["host-record=a.test,192.0.2.1,7"]);
    const clock = new VirtualClock();
    const resolve = resolving(dns, { clock });
    const uri = "sip:a.test:5070;transport=udp";
    await resolve(uri);
    expect(await dns.asked()).toEqual(["A a.test", "AAAA a.test"]);
    await clock.advance(4_999);
    await resolve(uri);
    expect(await dns.asked()).toEqual([]);
    // That there is no AAAA holds for a sixth of 30 s, whatever DNS says.
    await clock.advance(1);
    await resolve(uri);
    expect(await dns.asked()).toEqual(["AAAA a.test"]);
    await clock.advance(2_000);
    expect(await resolve(uri)).toEqual(["udp 192.0.2.1 5070"]);
    expect(await dns.asked()).toEqual(["A a.test"]);
  });

  it("finds out when a record comes where none was", async () => {
    const port = await freePort();
    const clock = new VirtualClock();
    const resolver = dnsResolver({ servers: [`127.0.0.1:${port}`], timeout: 200, tries: 1, clock });
    const families = { families: [4] } as const;
    const resolve = async (): Promise<unknown> => resolver.resolve("sip:a.test:5070", families);

    await expect(resolve()).rejects.toMatchObject({
      code: "SIP_NO_ADDRESS",
      message: "no address for a.test: the look-up failed",
    });
    expect(resolver.counters?.()).toMatchObject({ dnsFailures: 1 });
    const dns = await startDnsmasq(["host-record=a.test,192.0.2.1"], port);
    // The answer that the machine gave, that there is no such name, is kept for longer than that nobody answered.
    await clock.advance(2_000);
    expect(await resolve()).toEqual([
      { protocol: "udp", address: "192.0.2.1", port: 5070, domain: "a.test" },
    ]);
    expect(await dns.asked()).toEqual(["A a.test"]);
  });
});
