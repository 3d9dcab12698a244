import { describe, expect, it } from "vitest";
import { AuthSite, fixedRandom } from "./auth-site.ts";

const REGISTER = ["REGISTER", "sip:example.com"] as const;

describe("header smuggling by name", () => {
  it.each(["\x01", "\x00", "\x0b", "\x7f", "\xa0", "\x85"])(
    "CVE-2016-9938, AST-2016-009: To%j: is no To, so that no dialog is feigned",
    async (byte) => {
      const site = await AuthSite.open();
      const text = site
        .text("INVITE", "sip:bob@example.com")
        .replace("\r\nTo: <sip:alice@example.com>", `\r\nTo${byte}: <sip:bob@example.com>;tag=x`);
      const status = await site.status(text);
      expect([400, undefined]).toContain(status);
      expect(site.passed).toEqual([]);
    },
  );

  it("CVE-2016-9938: nor does a To tag that is one let a request in", async () => {
    const site = await AuthSite.open();
    const text = site
      .text("INVITE", "sip:bob@example.com")
      .replace("To: <sip:alice@example.com>", "To: <sip:bob@example.com>;tag=x");
    expect(await site.status(text)).toBe(407);
  });

  it.each(["Authorization :", "AUTHORIZATION\t:", "authorization  :"])(
    "CVE-2020-28361: %j is taken out as Authorization: is",
    async (name) => {
      const site = await AuthSite.open();
      const proof = site.proof(await site.nonce()).replace("Authorization:", name);
      expect(await site.status(site.text(...REGISTER, [proof]))).toBe(200);
      expect(site.passed[0]?.request.toWire().toLowerCase()).not.toContain("authorization");
    },
  );
});

describe("digest parser", () => {
  const written = (nonce: string, site: AuthSite): string =>
    site.proof(nonce).slice("Authorization: ".length);

  it.each([
    ["CVE-2023-28098: nothing but a scheme", "Digest"],
    ["CVE-2023-28098: a space after it", "Digest "],
    ["CVE-2023-28098: a comma", "Digest ,"],
    ["OpenSIPS 156460e: Digestn", "Digestn"],
    ["OpenSIPS 156460e: Digest\\tn", "Digest\tn"],
    ["OpenSIPS 0fadc0a: a name", "Digest username"],
    ["OpenSIPS 0fadc0a: a name and no value", "Digest username="],
    ["OpenSIPS 0fadc0a: an open quote", 'Digest username="'],
    ["OpenSIPS 0fadc0a: an escape at the end", 'Digest username="alice\\'],
    [
      "OpenSIPS 0fadc0a: no more than realm and name",
      'Digest username="alice", realm="example.com"',
    ],
    ["GHSA-64qc-9x89-rx5j: another realm alone", 'Digest username="alice", realm="elsewhere.test"'],
    ["GHSA-64qc-9x89-rx5j: no realm", 'Digest username="alice", nonce="n", uri="u", response="r"'],
    [
      "Kamailio 6ff17cb: empty values",
      'Digest username="", realm="", nonce="", uri="", response=""',
    ],
    ["Kamailio 6ff17cb: an equals sign", "Digest ="],
    ["no digest", "Basic YWxpY2U6c2VjcmV0"],
    ["no digest, which a proxy of ours would take", "Bearer x.y.z"],
  ])("%s", async (_name, value) => {
    const site = await AuthSite.open();
    const status = await site.status(site.text(...REGISTER, [`Authorization: ${value}`]));
    expect([400, 401]).toContain(status);
    expect(site.passed).toEqual([]);
    expect(site.server.errors).toEqual([]);
  });

  it("GHSA-64qc-9x89-rx5j: another realm beside ours is passed over", async () => {
    const site = await AuthSite.open();
    const other = 'Authorization: Digest username="alice", realm="elsewhere.test", nonce="n"';
    const proof = site.proof(await site.nonce());
    expect(await site.status(site.text(...REGISTER, [other, proof]))).toBe(200);
  });

  it("cut off anywhere it lets nobody in", async () => {
    const site = await AuthSite.open();
    const value = written(await site.nonce(), site);
    for (let end = 0; end < value.length; end++) {
      const status = await site.status(
        site.text(...REGISTER, [`Authorization: ${value.slice(0, end)}`]),
      );
      expect([400, 401]).toContain(status);
    }
    expect(site.passed).toEqual([]);
    expect(site.server.errors).toEqual([]);
  });

  it.each(["username", "realm", "nonce", "uri", "response", "cnonce", "nc", "qop", "algorithm"])(
    "a second %s is malformed, whichever of them would be right",
    async (name) => {
      const site = await AuthSite.open();
      const proof = site.proof(await site.nonce(), { more: ", algorithm=MD5" });
      for (const value of ['"x"', "auth"]) {
        const text = site.text(...REGISTER, [`${proof}, ${name.toUpperCase()}=${value}`]);
        expect(await site.status(text)).toBe(400);
      }
    },
  );

  it.each(["FOO", "MD4", "AKAv1-MD5", "SHA-256", "SHA-512-256", "MD5-sess", "md5;", "MD5,"])(
    "algorithm=%s, that wasn't offered, is refused",
    async (algorithm) => {
      const site = await AuthSite.open();
      const proof = site.proof(await site.nonce(), { more: `, algorithm="${algorithm}"` });
      expect(await site.status(site.text(...REGISTER, [proof]))).toBe(401);
    },
  );

  it("a digest without qop, nc and cnonce is no way round the count", async () => {
    const site = await AuthSite.open();
    const proof = site.proof(await site.nonce());
    for (const less of [/, qop=auth/, /, cnonce="c", qop=auth, nc=\w+/]) {
      expect(await site.status(site.text(...REGISTER, [proof.replace(less, "")]))).toBe(401);
    }
  });
});

describe("digest lengths", () => {
  it.each(["username", "realm", "nonce", "uri", "response", "cnonce"])(
    "CVE-2022-24754, CVE-2026-40892: a %s of 20 kB",
    async (name) => {
      const site = await AuthSite.open({}, { leg: "tcp:192.0.2.1:5060" });
      const proof = site.proof(await site.nonce());
      const long = proof.replace(new RegExp(` ${name}="[^"]*`), ` ${name}="${"x".repeat(20_000)}`);
      expect(long.length).toBeGreaterThan(20_000);
      const status = await site.status(site.text(...REGISTER, [long]));
      expect([400, 401, 413, 431, 500, 513]).toContain(status);
      expect(site.passed).toEqual([]);
      expect(site.server.errors).toEqual([]);
    },
  );

  it("CVE-2018-7284: fifty Authorization headers, right or wrong", async () => {
    const site = await AuthSite.open();
    const nonce = await site.nonce();
    const same = Array.from({ length: 50 }, () => site.proof(nonce));
    expect(await site.status(site.text(...REGISTER, same))).toBe(400);
    const others = Array.from({ length: 50 }, (_, i) =>
      site.proof(nonce).replace('realm="example.com"', `realm="${i}.test"`),
    );
    expect(await site.status(site.text(...REGISTER, others))).toBe(401);
    expect(site.passed).toEqual([]);
  });
});

describe("replay and hijack", () => {
  it.each([
    ["another Contact", "Contact: <sip:alice@192.0.2.100>", "Contact: <sip:mallory@203.0.113.66>"],
    ["another Call-ID", "Call-ID: call", "Call-ID: other"],
    ["another From", "From: <sip:alice", 'From: "x" <sip:alice'],
    ["another To", "To: <sip:alice", "To: <sip:bob"],
    ["another Expires", "User-Agent: a phone", "Expires: 0"],
  ])("a sniffed Authorization with %s is refused [B07, B08]", async (_name, from, to) => {
    const site = await AuthSite.open();
    const proof = site.proof(await site.nonce());
    expect(await site.status(site.text(...REGISTER, [proof]))).toBe(200);
    const replayed = site.text(...REGISTER, [proof]).replace(from, to);
    expect(replayed).toContain(to);
    const response = await site.send(replayed, 6666);
    expect(response?.status).toBe(401);
    expect(response?.headers.get("www-authenticate")).toContain("stale=true");
    expect(site.passed).toHaveLength(1);
  });

  it("a REGISTER's Authorization opens no INVITE [B25]", async () => {
    const site = await AuthSite.open();
    const proof = site.proof(await site.nonce());
    const asProxy = proof.replace("Authorization", "Proxy-Authorization");
    for (const line of [proof, asProxy]) {
      expect(await site.status(site.text("INVITE", "sip:bob@example.com", [line]))).toBe(407);
    }
    expect(site.passed).toEqual([]);
  });

  it("two nonces of one moment differ [B02]", async () => {
    const site = await AuthSite.open();
    const nonces = [await site.nonce(), await site.nonce(), await site.nonce()];
    expect(new Set(nonces).size).toBe(3);
  });

  it.each([
    ["a forged nonce isn't called stale [B04]", (nonce: string) => nonce.replace(/^../, "AA")],
    [
      "nor one whose last character alone is another [B05]",
      (nonce: string) => `${nonce.slice(0, -1)}${nonce.endsWith("A") ? "B" : "A"}`,
    ],
    ["nor one in another spelling of base64", (nonce: string) => `${nonce}=`],
  ])("%s", async (_name, forge) => {
    const site = await AuthSite.open();
    const response = await site.send(
      site.text(...REGISTER, [site.proof(forge(await site.nonce()))]),
    );
    expect(response?.status).toBe(401);
    expect(response?.headers.get("www-authenticate")).not.toContain("stale");
  });

  it("a replay to another node of the cluster is refused, and nobody is asked for it", async () => {
    let asked = 0;
    const credentials = (): string => {
      asked += 1;
      return "secret";
    };
    const [one, other] = [
      await AuthSite.open({ credentials, secret: "shared" }, { node: "one" }),
      await AuthSite.open({ credentials, secret: ["newer", "shared"] }, { node: "other" }),
    ];
    const proof = one.proof(await one.nonce());
    expect(await one.status(one.text(...REGISTER, [proof]))).toBe(200);
    asked = 0;
    const response = await other.send(other.text(...REGISTER, [proof]));
    expect(response?.headers.get("www-authenticate")).toContain("stale=true");
    expect([asked, other.passed.length]).toEqual([0, 0]);
  });

  it("wrong digests don't use up another's nonce (gsm-sip-bridge 21)", async () => {
    const site = await AuthSite.open();
    const nonce = await site.nonce();
    for (const nc of ["00000001", "ffffffff", "7fffffff", "80000000"]) {
      const wrong = site.proof(nonce, { password: "guess", nc });
      expect(await site.status(site.text(...REGISTER, [wrong]))).toBe(401);
    }
    expect(await site.status(site.text(...REGISTER, [site.proof(nonce)]))).toBe(200);
  });
});

describe("methods", () => {
  it.each([
    "MESSAGE",
    "SUBSCRIBE",
    "PUBLISH",
    "REFER",
    "NOTIFY",
    "OPTIONS",
    "INFO",
    "UPDATE",
    "BYE",
    "PRACK",
    "INVITE",
    "register",
    "X",
  ])("CVE-2021-37624, CVE-2021-41157, CVE-2026-116779: %s is challenged", async (method) => {
    const site = await AuthSite.open();
    for (const uri of ["sip:bob@example.com", "sip:bob@elsewhere.test", "tel:+15550100"]) {
      expect(await site.status(site.text(method, uri))).toBe(407);
    }
    expect([401, 407]).toContain(await site.status(site.text(method, "sip:example.com")));
    expect(site.passed).toEqual([]);
  });

  it("GHSA-qqxj-v78h-hrf9: who proves nothing is nobody, whatever he calls himself", async () => {
    const site = await AuthSite.open();
    for (const from of [
      "<sip:alice@example.com>",
      "<sip:192.0.2.1>",
      "Anonymous <sip:anonymous@anonymous.invalid>",
      "<sip:@example.com>",
    ]) {
      const text = site
        .text("INVITE", "sip:bob@example.com", ["P-Asserted-Identity: <sip:alice@example.com>"])
        .replace("From: <sip:alice@example.com>", `From: ${from}`);
      expect([400, 407]).toContain(await site.status(text));
    }
    expect(site.passed).toEqual([]);
  });
});

describe("user enumeration", () => {
  it("CVE-2018-12227, AST-2018-008: who exists, who doesn't and who is barred get the same bytes", async () => {
    const barred = new Set(["carol"]);
    const known = new Map([
      ["alice", "secret"],
      ["carol", "third"],
    ]);
    const sources = [
      { alice: "secret" },
      (user: string) => (barred.has(user) ? undefined : known.get(user)),
      async (user: string) => (barred.has(user) ? undefined : known.get(user)),
    ];
    for (const credentials of sources) {
      const answers: string[] = [];
      for (const user of ["alice", "nobody", "carol", "__proto__", ""]) {
        const site = await AuthSite.open(
          { credentials },
          { random: fixedRandom(), secret: "s", node: "n" },
        );
        const line = site.proof(await site.nonce(), { user, password: "guess" });
        const response = await site.send(site.text(...REGISTER, [line]));
        answers.push(response?.toWire() ?? "");
      }
      expect(answers[0]).toContain("401 Unauthorized");
      expect(new Set(answers).size).toBe(1);
    }
  });

  it("a barred user with the right password gets what a wrong one gets", async () => {
    const answers: string[] = [];
    for (const credentials of [{ alice: "secret" }, () => undefined]) {
      const password = typeof credentials === "function" ? "secret" : "guess";
      const site = await AuthSite.open(
        { credentials },
        { random: fixedRandom(), secret: "s", node: "n" },
      );
      const line = site.proof(await site.nonce(), { password });
      answers.push((await site.send(site.text(...REGISTER, [line])))?.toWire() ?? "");
    }
    expect(answers[0]).toBe(answers[1]);
  });
});

describe("names that mean something elsewhere", () => {
  it.each([
    "*)(uid=*",
    "' OR 1=1--",
    "../../x",
    "__proto__",
    "constructor",
    "toString",
    "a\tb",
    "%00",
    "\u00e4",
  ])("%j reaches the store as it is, and is nobody", async (user) => {
    const asked: string[] = [];
    const site = await AuthSite.open({
      credentials: (name) => {
        asked.push(name);
        return undefined;
      },
    });
    const line = site.proof(await site.nonce(), { user });
    // What is sent is bytes: the name's are UTF-8.
    const text = Buffer.from(site.text(...REGISTER, [line]), "utf8").toString("latin1");
    expect(await site.status(text)).toBe(401);
    expect(asked).toEqual([user]);
    const map = await AuthSite.open();
    expect(await map.status(map.text(...REGISTER, [map.proof(await map.nonce(), { user })]))).toBe(
      401,
    );
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "a parameter called %s is one that nobody reads",
    async (name) => {
      const site = await AuthSite.open();
      const line = site.proof(await site.nonce(), { more: `, ${name}=x` });
      expect(await site.status(site.text(...REGISTER, [line]))).toBe(200);
      expect(({} as Record<string, unknown>).x).toBeUndefined();
    },
  );

  it.each([
    "0",
    "00000000",
    "-0000001",
    "0x000001",
    "1e+00000",
    "٠٠٠٠٠٠٠١",
    "NaN",
    "Infinity",
    "100000000",
    "9007199254740993",
  ])("AST-2017-009: nc=%s is no count", async (nc) => {
    const site = await AuthSite.open();
    const line = site.proof(await site.nonce(), { nc });
    const text = Buffer.from(site.text(...REGISTER, [line]), "utf8").toString("latin1");
    expect(await site.status(text)).toBe(400);
    expect(site.passed).toEqual([]);
  });
});

describe("floods", () => {
  it("CVE-2021-41145, ES2021-06: challenges leave nothing, right digests no more than the bound", async () => {
    const site = await AuthSite.open({ maxNonces: 50 });
    for (let i = 0; i < 1000; i++) await site.status(site.text(...REGISTER));
    expect(site.authorize.rememberedNonces).toBe(0);
    for (let i = 0; i < 200; i++) {
      await site.server.clock.advance(1);
      expect(await site.status(site.text(...REGISTER, [site.proof(await site.nonce())]))).toBe(200);
    }
    expect(site.authorize.rememberedNonces).toBe(50);
    expect(site.counters).toMatchObject({ forgottenNonces: 150 });
  });

  it("CVE-2018-7286, CVE-2020-28327: INVITEs that are challenged open no transaction", async () => {
    const site = await AuthSite.open();
    for (let i = 0; i < 100; i++) await site.status(site.text("INVITE", "sip:bob@example.com"));
    expect(site.server.dispatcher.stats()).toMatchObject({ inviteServers: 0, transactionBytes: 0 });
  });
});
