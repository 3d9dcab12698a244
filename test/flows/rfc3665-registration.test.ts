import { Authorize } from "@sipkit/auth";
import { Registrar } from "@sipkit/registrar";
import { expect } from "vitest";
import { describeFlow } from "./describe-flow.ts";
import type { Erratum } from "./errata.ts";
import type { PhoneRole, ServerRole, Stage } from "./stage.ts";

const REALM = "atlanta.example.com";

/** Bob's phone, and his password by which it is told whether he may register. */
function bob(password: string): PhoneRole {
  return {
    phone: true,
    address: "192.0.2.201",
    sentBy: "client.biloxi.example.com:5061",
    credentials: { [REALM]: ["bob", password] },
  };
}

/** The RFC's registrar: its realm is not its domain, and it grants an hour. */
function registrar(): ServerRole {
  return {
    address: "192.0.2.222",
    sentBy: "ss2.biloxi.example.com:5061",
    names: ["biloxi.example.com"],
    domains: ["biloxi.example.com"],
    receiver: [
      new Authorize({ realm: REALM, credentials: { bob: "bob's secret" } }),
      new Registrar({ maxExpires: 3600 }),
    ],
  };
}

const common = {
  rfc: 3665,
  over: "tls",
  cast: () => ({ Bob: bob("bob's secret"), "SIP Server": registrar() }),
} as const;

const PHONE = "sip:bob@client.biloxi.example.com";
const MAIL = "mailto:bob@biloxi.example.com";

/** Contacts of Bob's are registered, and his phone knows a nonce. */
async function registered(stage: Stage, contacts: readonly string[]): Promise<void> {
  const isTls = stage.column.protocol === "tls";
  const uri = (text: string): string => (isTls ? text.replace(/^sip:/, "sips:") : text);
  for (const contact of contacts) {
    await stage.register("Bob", uri("sip:bob@biloxi.example.com"), uri(contact));
  }
  await stage.prime("Bob", "F1");
}

/** A registrar grants what is asked for, or less: RFC 3261 §10.3 step 7. Ours grants an hour. */
const anHour: Erratum = ["expires=4294967295", "expires=3600"];

describeFlow({
  ...common,
  section: "2.1",
  title: "successful new registration",
  figure: `
    F1 Bob -> SIP Server: REGISTER
    F2 SIP Server -> Bob: 401
    F3 Bob -> SIP Server: REGISTER
    F4 SIP Server -> Bob: 200`,
  errata: { F3: [['realm="atlanta.example.com"\r\n', 'realm="atlanta.example.com",\r\n']] },
  afterwards: (stage) => {
    expect(stage.sent("F4").headers.getAll("contact")).toHaveLength(1);
  },
});

describeFlow({
  ...common,
  section: "2.2",
  title: "update of contact list",
  figure: `
    F1 Bob -> SIP Server: REGISTER
    F2 SIP Server -> Bob: 200`,
  before: (stage) => registered(stage, [PHONE]),
  errata: { F2: [anHour] },
});

describeFlow({
  ...common,
  section: "2.3",
  title: "request for current contact list",
  figure: `
    F1 Bob -> SIP Server: REGISTER
    F2 SIP Server -> Bob: 200`,
  before: (stage) => registered(stage, [PHONE, MAIL]),
  errata: { F2: [anHour] },
});

describeFlow({
  ...common,
  section: "2.4",
  title: "cancellation of registration",
  figure: `
    F1 Bob -> SIP Server: REGISTER
    F2 SIP Server -> Bob: 200`,
  before: (stage) => registered(stage, [PHONE, MAIL]),
});

describeFlow({
  ...common,
  section: "2.5",
  title: "unsuccessful registration",
  figure: `
    F1 Bob -> SIP Server: REGISTER
    F2 SIP Server -> Bob: 401
    F3 Bob -> SIP Server: REGISTER
    F4 SIP Server -> Bob: 401`,
  cast: () => ({ Bob: bob("another's secret"), "SIP Server": registrar() }),
  // What the server notes is not in what Bob sends.
  errata: { F1: [["\r\n ;received=192.0.2.201", ""]] },
});
