import { describe, expect, it } from "vitest";
import { ca, certificate } from "../../../../test/certificates/certificates.ts";
import type { TlsOptions } from "./tls-options.ts";
import { TlsSettings } from "./tls-settings.ts";

const example = certificate("example");

describe("TLS settings", () => {
  it.each<[string, unknown, string]>([
    ["are left out", undefined, "tls: { cert, key }"],
    ["have no certificate", { ...example, cert: "" }, "cert and key"],
    ["have no key", { cert: example.cert }, "cert and key"],
    ["have no PEM text", { cert: "x", key: "y" }, "cert and key can't be used"],
    ["have another's key", { ...example, key: certificate("other").key }, "can't be used"],
    ["have a bad authority", { ...example, ca: "x" }, "ca must be"],
    ["have a bad name", { ...example, names: { "a b": example } }, 'not "a b"'],
    ["have a bad wildcard", { ...example, names: { "a.*.b": example } }, 'not "a.*.b"'],
    ["have a bad one by name", { ...example, names: { a: { cert: "x", key: "y" } } }, 'names["a"]'],
    ["have nothing by name", { ...example, names: { a: undefined } }, 'names["a"]'],
    ["ask clients oddly", { ...example, clientCertificate: "maybe" }, '"required"'],
    ["allow what is too old", { ...example, minVersion: "TLSv1.1" }, '"TLSv1.2"'],
    ["verify oddly", { ...example, verifyServers: "no" }, "verifyServers"],
  ])("that %s are refused", (_what, options, message) => {
    expect(() => new TlsSettings(options as TlsOptions)).toThrow(
      expect.objectContaining({
        code: "SIP_BAD_OPTION",
        message: expect.stringContaining(message),
      }),
    );
  });

  it("take bytes as they take text, and several authorities", () => {
    const bytes = new TextEncoder();
    const authorities = [ca, bytes.encode(certificate("unknown").cert)];
    const settings = new TlsSettings({
      cert: bytes.encode(example.cert),
      key: bytes.encode(example.key),
      ca: authorities,
    });
    expect(settings.requiresClients).toBe(false);
  });

  it("tell nothing of a key", () => {
    const key = example.key.replace("EC PRIVATE", "XX PRIVATE");
    let told = "";
    try {
      new TlsSettings({ ...example, key });
    } catch (error) {
      told = String(error);
    }
    expect(told).toContain("can't be used");
    expect(told).not.toContain(key.split("\n")[1]);
  });

  it("don't change whether clients are asked for certificates", () => {
    const settings = new TlsSettings({ ...example, clientCertificate: "optional" });
    expect(() => settings.replace(example)).toThrow(
      expect.objectContaining({ code: "SIP_BAD_OPTION" }),
    );
    settings.replace({ ...example, clientCertificate: "optional" });
  });

  it("name a domain to the server that we connect to, and never an address, RFC 6066 §3", () => {
    const settings = TlsSettings.ofClient(undefined);
    const to = { host: "192.0.2.1", port: 5061 };
    expect(settings.connectOptions(to)).toMatchObject({ ...to, rejectUnauthorized: true });
    expect(settings.connectOptions(to).servername).toBeUndefined();
    expect(settings.connectOptions({ ...to, domain: "192.0.2.1" }).servername).toBeUndefined();
    expect(settings.connectOptions({ ...to, domain: "[::1]" }).servername).toBeUndefined();
    expect(settings.connectOptions({ ...to, domain: "example.com." }).servername).toBe(
      "example.com",
    );
  });
});
