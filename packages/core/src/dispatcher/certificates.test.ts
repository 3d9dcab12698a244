import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { ca, certificate } from "../../../../test/certificates/certificates.ts";
import { cleanups } from "../../../../test/kit/cleanups.ts";
import type { Connection } from "../arrival.ts";
import { onRequest } from "../chain/on-request.ts";
import { Request } from "../message/request.ts";
import type { Resolver } from "../resolve/resolver.ts";
import type { TlsOptions } from "../transport/tls-options.ts";
import { Dispatcher } from "./dispatcher.ts";

const example: TlsOptions = { ...certificate("example"), ca, clientCertificate: "optional" };

/** A server that answers 200 and keeps the connections that its requests came over. */
async function listen(tls: TlsOptions, resolver?: Resolver) {
  const connections: (Connection | undefined)[] = [];
  const server = new Dispatcher({
    legs: ["tcp:127.0.0.1:0", { listen: "tls:127.0.0.1:0", tls }],
    receiver: onRequest("OPTIONS", (request) => {
      connections.push(request.arrival?.from.connection);
      return request.createResponse(200);
    }),
    ...(resolver && { resolver }),
  });
  const [tcp, secure] = await server.listen();
  cleanups.push(() => server.close());
  if (tcp === undefined || secure === undefined) throw new Error("no legs");
  return { server, tcp, secure, connections };
}

/** Has every domain live at one port of this machine. */
function at(port: () => number): Resolver {
  return {
    resolve: (uri) => {
      const domain = /@([^;]+)/.exec(uri)?.[1] ?? "";
      return [{ protocol: "tls", address: "127.0.0.1", port: port(), domain }];
    },
  };
}

function options(domain: string): Request {
  return new Request("OPTIONS", `sip:x@${domain};transport=tls`, {
    headers: {
      From: "<sip:y@example.com>;tag=1",
      To: `<sip:x@${domain}>`,
      "Call-ID": domain,
      CSeq: "1 OPTIONS",
    },
  });
}

async function dial(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  cleanups.push(() => socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

describe("certificates of a dispatcher's legs", () => {
  it("let requests through to the domain that they were meant for, and to no other", async () => {
    const there = await listen(example);
    const us = await listen(
      { ...certificate("client"), ca },
      at(() => there.secure.port),
    );
    expect((await us.server.request(options("example.com")).final).status).toBe(200);
    expect(there.connections[0]).toMatchObject({
      authorized: true,
      identities: ["client.example.com"],
    });
    // The connection that is there was proven for the one domain, not for the other.
    await expect(us.server.request(options("other.example.com")).final).rejects.toMatchObject({
      code: "SIP_TRANSPORT",
      message: expect.stringContaining("its certificate doesn't name other.example.com"),
    });
    expect(there.connections).toHaveLength(1);
  });

  it("are replaced while it runs, and connections live on", async () => {
    const { server, secure } = await listen(example);
    const first = await dial(secure.port);
    server.setCertificates(secure, { ...certificate("other"), ca, clientCertificate: "optional" });
    const second = await dial(secure.port);
    expect(first.getPeerCertificate().subject.CN).toBe("server.example.com");
    expect(second.getPeerCertificate().subject.CN).toBe("other.example.com");
    first.write("\r\n\r\n");
    expect(String(await once(first, "data"))).toBe("\r\n");
  });

  it.each([
    ["a leg without certificates", "tcp", example],
    ["bad ones", "tls", { ...example, key: "x" }],
    ["another way of asking clients", "tls", certificate("other")],
  ] as const)("are not replaced by %s", async (_what, protocol, tls) => {
    const { server, tcp, secure } = await listen(example);
    const refused = (): void => server.setCertificates(protocol === "tcp" ? tcp : secure, tls);
    expect(refused).toThrow(expect.objectContaining({ code: "SIP_BAD_OPTION" }));
    expect((await dial(secure.port)).getPeerCertificate().subject.CN).toBe("server.example.com");
  });

  it("are those of its own legs", async () => {
    const [one, two] = [await listen(example), await listen(example)];
    expect(() => one.server.setCertificates(two.secure, example)).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
  });
});
