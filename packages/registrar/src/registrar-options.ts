import { canonicalHost, DomainNames, type SecretRing, secretRing } from "@sipkit/core";
import type { Approve } from "./approval.ts";
import type { AttributesOf } from "./binding-attributes.ts";
import { checkOption } from "./check-option.ts";
import type { NextHopRule } from "./contact-flow.ts";
import type { Matching } from "./contact-key.ts";
import type { ContactRules } from "./contact-requests.ts";
import type { LocationStore } from "./location-store.ts";
import { memoryStore } from "./memory-store.ts";
import { type PushOptions, type PushSettings, readPush } from "./push/push-options.ts";
import {
  type QualifyOptions,
  type QualifySettings,
  readQualify,
} from "./qualify/qualify-options.ts";
import type { AnswerRules } from "./register-answers.ts";
import type { PathMode } from "./register-facts.ts";
import type { WhenFull } from "./register-update.ts";
import { readServiceRoute } from "./service-route.ts";

/**
 * Whether a user exists who has no bindings: a call to him is answered 480, to nobody 404. `user` is unescaped,
 * `domain` in lower case.
 */
export type KnownUsers = (user: string, domain: string) => boolean | Promise<boolean>;

/** How a {@link Registrar} keeps bindings. */
export interface RegistrarOptions {
  /** Seconds; who asks for less gets a 423. Default: 30. */
  readonly minExpires?: number;
  /** Seconds; who asks for more gets this. Default: 300. */
  readonly maxExpires?: number;
  /** Seconds for those who ask for nothing. Default: `maxExpires`. */
  readonly defaultExpires?: number;
  /**
   * The part of the time granted, 0 to 0.9, of which chance takes off up to all, never below `minExpires`: phones that
   * registered at once after a power cut don't come back at once. Default: 0.
   */
  readonly expiresJitter?: number;
  /** `"raise"`: who asks for less than `minExpires` gets that, and no 423. Default: `"refuse"`. */
  readonly whenTooBrief?: "refuse" | "raise";
  /** The preference of a Contact without `q`, 0 to 1. Default: 1. */
  readonly defaultQ?: number;
  /**
   * The domains whose users register here: names, or `*.example.com` for every name below it. Default: the
   * dispatcher's.
   */
  readonly domains?: string | readonly string[];
  /** Other names of domains: `{ "example.net": "example.com" }`. Users of the one are those of the other. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** `"insensitive"`: `Alice` and `alice` are one user, `alice`. Default: `"sensitive"`. RFC 3261 §19.1.4 */
  readonly userCase?: "sensitive" | "insensitive";
  /** Default: `memoryStore()`. The registrar closes it. */
  readonly store?: LocationStore;
  /** Which binding a Contact replaces. Default: `"uri"`. */
  readonly matching?: Matching;
  /** Bindings of one user, at most. Default: 10. */
  readonly maxBindings?: number;
  /**
   * What becomes of a REGISTER that would make more: `"reject"` answers 403, `"replace-oldest"` removes those that were
   * refreshed longest ago, `"replace-unreachable"` those of them whose connection is
   * gone, or whose pings are not answered. Default: `"reject"`.
   */
  readonly whenFull?: WhenFull;
  /** Contacts in one REGISTER, at most; more are answered 403. Default: 12. */
  readonly maxContacts?: number;
  /** `"accept"`: a REGISTER may repeat the CSeq of the one before it, as broken phones do. Default: `"refuse"`: 500. */
  readonly equalCseq?: "refuse" | "accept";
  /** `"own"`: a 200 lists only what its REGISTER bound, for clients that take others' Contacts for theirs. Default: `"all"`. */
  readonly answeredContacts?: "all" | "own";
  /**
   * Bindings that never end and that no REGISTER changes, by address-of-record: URIs, or Contacts as a header has them
   * (`<sip:gate@192.0.2.9>;q=0.5`).
   */
  readonly static?: Readonly<Record<string, readonly string[]>>;
  /**
   * Whether a request goes only to devices that said they take its method (`methods` of their Contact, else Allow); when
   * all say otherwise it is answered 405. Default: false.
   */
  readonly methodFilter?: boolean;
  /**
   * `"lazy"` keeps every Path, `"strict"` refuses one (420) whose device doesn't support it, `"off"` keeps none.
   * Default: `"lazy"`. RFC 3327 §5.3
   */
  readonly path?: PathMode;
  /**
   * Whether other nodes look up what is registered here, in a store that they share: what is reached over a flow of this
   * node then gets a Path that leads here. Each node needs a `node` name of its own. Default: false. RFC 5626 §6
   */
  readonly nodePath?: boolean;
  /** URIs in brackets that each 200 tells a device to route its requests by. RFC 3608 */
  readonly serviceRoute?: string | readonly string[];
  /**
   * Whether devices may register flows, or (`"required"`) must: who doesn't gets a 421. Default: true. RFC 5626 §6
   */
  readonly outbound?: boolean | "required";
  /**
   * Seconds within which a device that registered a flow must keep it alive, told by Flow-Timer. A connection over which
   * nothing comes for 10 s longer is closed. RFC 5626 §4.4, §5.4
   */
  readonly flowTimer?: number;
  /**
   * What becomes of bindings when the connection is lost that they are reached by: `"remove"`, or `"keep"` until their
   * time is over, without a request going there. Default: `"remove"`. RFC 5626 §7
   */
  readonly onConnectionLost?: "remove" | "keep";
  /** Whether bindings are pinged, and how: is the device still there, and how far away? Default: false. */
  readonly qualify?: boolean | QualifyOptions;
  /** How contacts that came straight from their device are reached. Default: `"auto"`. */
  readonly nextHop?: NextHopRule;
  /**
   * Whether devices that ask for GRUUs get them. With a secret, temporary ones outlive the process and hold on every
   * node that has it; of several the first makes them, and all of them know theirs again. Default: true. RFC 5627
   */
  readonly gruu?:
    | boolean
    | { readonly secret: string | Uint8Array | readonly (string | Uint8Array)[] };
  /** How devices that sleep are woken by a push service. Default: they aren't. RFC 8599 */
  readonly push?: PushOptions;
  /** Default: those who have, or had, bindings in the store. */
  readonly knownUsers?: KnownUsers;
  /** What is kept with the bindings of a REGISTER, for `query`, `list` and events. Default: nothing. */
  readonly attributes?: AttributesOf;
  /** Asked before a REGISTER takes effect. Default: nobody is. */
  readonly approve?: Approve;
}

/** Checked options. */
export interface RegistrarSettings {
  readonly contacts: ContactRules;
  readonly answers: AnswerRules;
  readonly maxBindings: number;
  readonly whenFull: WhenFull;
  readonly acceptsEqualCseq: boolean;
  readonly path: PathMode;
  readonly nodePath: boolean;
  readonly domains: DomainNames | undefined;
  readonly aliases: ReadonlyMap<string, string>;
  readonly ignoresUserCase: boolean;
  readonly store: LocationStore;
  readonly static: Readonly<Record<string, readonly string[]>>;
  readonly filtersMethods: boolean;
  readonly onConnectionLost: "remove" | "keep";
  /** `undefined`: nothing is pinged. */
  readonly qualify: QualifySettings | undefined;
  /** `undefined`: no GRUUs. */
  readonly gruu: { readonly secrets: SecretRing | undefined } | undefined;
  /** `undefined`: no device is woken. */
  readonly push: PushSettings | undefined;
  readonly knownUsers: KnownUsers;
  readonly attributes: AttributesOf | undefined;
  readonly approve: Approve | undefined;
}

/** Throws a `SipError` `SIP_BAD_OPTION` or `SIP_BAD_DOMAIN`. */
export function readOptions(options: RegistrarOptions): RegistrarSettings {
  const { minExpires = 30, maxExpires = 300, maxBindings = 10, maxContacts = 12 } = options;
  const { defaultExpires = maxExpires, expiresJitter = 0, defaultQ = 1, domains } = options;
  const { path = "lazy", outbound = true, gruu = true, flowTimer, matching = "uri" } = options;
  const limits = { minExpires, maxExpires, defaultExpires, maxContacts };
  for (const [name, value] of Object.entries({ ...limits, maxBindings, flowTimer })) {
    if (value === undefined) continue;
    const least = name === "minExpires" ? 0 : 1;
    checkOption(
      Number.isSafeInteger(value) && value >= least && value <= 0xffff_ffff,
      `${name} must be a whole number from ${least}`,
    );
  }
  checkOption(
    minExpires <= maxExpires && defaultExpires <= maxExpires,
    "minExpires and defaultExpires must not exceed maxExpires",
  );
  checkOption(expiresJitter >= 0 && expiresJitter <= 0.9, "expiresJitter must be from 0 to 0.9");
  checkOption(defaultQ >= 0 && defaultQ <= 1, "defaultQ must be from 0 to 1");
  checkOption(
    typeof matching === "string" || matching.param !== "",
    "matching by a parameter needs its name",
  );
  const push = readPush(options.push, Math.min(maxExpires, defaultExpires));
  return {
    contacts: {
      ...limits,
      expiresJitter,
      whenTooBrief: options.whenTooBrief ?? "refuse",
      defaultQ,
      matching,
      nextHop: options.nextHop ?? "auto",
      outbound: outbound === true ? "on" : outbound === false ? "off" : outbound,
      usesPath: path !== "off",
      keepsMethods: options.methodFilter ?? false,
      push,
    },
    answers: {
      maxExpires,
      onlyOwn: options.answeredContacts === "own",
      echoesPath: path !== "off",
      serviceRoute: readServiceRoute(options.serviceRoute),
      flowTimer,
      push,
    },
    push,
    maxBindings,
    whenFull: options.whenFull ?? "reject",
    acceptsEqualCseq: options.equalCseq === "accept",
    path,
    nodePath: options.nodePath ?? false,
    domains: domains === undefined ? undefined : new DomainNames([domains].flat()),
    aliases: readAliases(options.aliases ?? {}),
    ignoresUserCase: options.userCase === "insensitive",
    store: options.store ?? memoryStore(),
    static: options.static ?? {},
    filtersMethods: options.methodFilter ?? false,
    onConnectionLost: options.onConnectionLost ?? "remove",
    qualify: readQualify(options.qualify ?? false),
    gruu:
      gruu === false ? undefined : { secrets: gruu === true ? undefined : secretRing(gruu.secret) },
    knownUsers: options.knownUsers ?? (() => false),
    attributes: options.attributes,
    approve: options.approve,
  };
}

function readAliases(aliases: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(aliases).map(([alias, domain]) => {
      const [of = "", to = ""] = new DomainNames([alias, domain]).names;
      checkOption(
        !of.includes("*") && !to.includes("*"),
        "an alias is one name, and so is its domain",
      );
      return [canonicalHost(of), canonicalHost(to)];
    }),
  );
}
