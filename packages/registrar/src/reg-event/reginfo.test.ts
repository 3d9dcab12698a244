import { describe, expect, it } from "vitest";
import { type ContactInfo, type RegInfo, writeRegInfo } from "./reginfo.ts";
import { xmlText } from "./xml-text.ts";

const contact: ContactInfo = {
  id: "76",
  uri: "sip:user@192.0.2.1",
  state: "active",
  event: "registered",
  expires: 3599,
  duration: 36_001,
  q: 0.8,
  callId: "1j9FpLxk3uxtm8tn@192.0.2.1",
  cseq: 54_321,
  unknownParams: [["+sip.instance", '"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"']],
  publicGruu: "sip:user@example.com;gr=hha9s8d-999a",
  temporaryGruu: "sip:8ffkas08af7fasklzi9@example.com;gr",
};

const info: RegInfo = {
  version: 0,
  state: "full",
  addressOfRecord: "sip:user@example.com",
  id: "as9",
  registration: "active",
  contacts: [contact],
};

describe("writeRegInfo", () => {
  it("writes the document of RFC 5628 §7, but for its first-cseq", () => {
    expect(writeRegInfo(info, 10_000).body).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" version="0" state="full">',
        '<registration aor="sip:user@example.com" id="as9" state="active">',
        '<contact id="76" state="active" event="registered" duration-registered="36001" expires="3599" q="0.8" callid="1j9FpLxk3uxtm8tn@192.0.2.1" cseq="54321">',
        "<uri>sip:user@192.0.2.1</uri>",
        '<unknown-param name="+sip.instance">&quot;&lt;urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6&gt;&quot;</unknown-param>',
        '<gr:pub-gruu uri="sip:user@example.com;gr=hha9s8d-999a"/>',
        '<gr:temp-gruu uri="sip:8ffkas08af7fasklzi9@example.com;gr" first-cseq="0"/>',
        "</contact>",
        "</registration>",
        "</reginfo>",
        "",
      ].join("\n"),
    );
  });

  it("leaves out what isn't known", () => {
    const bare: ContactInfo = {
      ...contact,
      state: "terminated",
      event: "expired",
      expires: undefined,
      duration: undefined,
      callId: undefined,
      cseq: undefined,
      unknownParams: [],
      publicGruu: undefined,
      temporaryGruu: undefined,
    };
    expect(writeRegInfo({ ...info, contacts: [bare] }, 10_000).body).toContain(
      '<contact id="76" state="terminated" event="expired" q="0.8">\n<uri>sip:user@192.0.2.1</uri>\n</contact>\n',
    );
  });

  it("escapes what users write, wherever it stands", () => {
    const evil = `"/><x y='&\u0000\u001b\ud800é`;
    const { body } = writeRegInfo(
      {
        ...info,
        addressOfRecord: evil,
        contacts: [
          {
            ...contact,
            uri: evil,
            callId: evil,
            unknownParams: [[evil, evil]],
            publicGruu: evil,
            temporaryGruu: evil,
          },
        ],
      },
      10_000,
    );
    const safe = "&quot;/&gt;&lt;x y=&apos;&amp;é";
    expect(body.split(safe)).toHaveLength(8);
    expect(body.replaceAll(safe, "").match(/[^\n -~]/g)).toBeNull();
    // Nothing but what was meant is an element.
    expect([...body.matchAll(/<([\w:-]+)/g)].map(([, name]) => name)).toEqual([
      ...["reginfo", "registration", "contact", "uri", "unknown-param"],
      ...["gr:pub-gruu", "gr:temp-gruu"],
    ]);
  });

  it("leaves out first a contact's parameters, then contacts, where there is no room", () => {
    const long: ContactInfo = { ...contact, unknownParams: [["x", "é".repeat(400)]] };
    const contacts = Array.from({ length: 5 }, () => long);
    for (const maxBytes of [600, 1500, 2000, 3000, 10_000]) {
      const { body, leftOut } = writeRegInfo({ ...info, contacts }, maxBytes);
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(maxBytes);
      expect(body.endsWith("</registration>\n</reginfo>\n")).toBe(true);
      expect(body.split("<contact ").length - 1).toBe(5 - leftOut);
    }
    expect(writeRegInfo({ ...info, contacts }, 10_000).body).toContain("é");
    expect(writeRegInfo({ ...info, contacts: [long] }, 800)).toMatchObject({ leftOut: 0 });
    expect(writeRegInfo({ ...info, contacts: [long] }, 800).body).not.toContain("é");
    expect(writeRegInfo({ ...info, contacts: [long] }, 300)).toMatchObject({ leftOut: 1 });
  });
});

describe("xmlText", () => {
  it.each([
    ["a\tb\nc\rd", "a&#9;b&#10;c&#13;d"],
    ["\u0001\u0008\u000b\u000c\u000e\u001f\ufffe\uffff\udc00x\ud83d", "x"],
    ["😀 ü \u007f\u0085", "😀 ü \u007f\u0085"],
  ])("%j", (text, expected) => {
    expect(xmlText(text)).toBe(expected);
  });
});
