import { contact, Params, ParseError, parseUri, SipError } from "@sipkit/core";
import type { Binding } from "./binding.ts";

const NONE: readonly Binding[] = Object.freeze([]);

/** The bindings that are configured, by canonical address-of-record: they never end, and no store has them. */
export class StaticBindings {
  readonly #byUser = new Map<string, readonly Binding[]>();

  /** Throws `SIP_BAD_OPTION` for a user who isn't ours, or a contact that is none. */
  constructor(
    given: Readonly<Record<string, readonly string[]>>,
    addressOfRecord: (uri: string) => string | undefined,
  ) {
    for (const [user, contacts] of Object.entries(given)) {
      const key = addressOfRecord(user);
      if (key === undefined) throw bad(`${user} is no user of the registrar's domains`);
      this.#byUser.set(key, [...this.of(key), ...contacts.map(bindingOf)]);
    }
  }

  of(addressOfRecord: string): readonly Binding[] {
    return this.#byUser.get(addressOfRecord) ?? NONE;
  }

  has(addressOfRecord: string): boolean {
    return this.#byUser.has(addressOfRecord);
  }

  /** What a store has of a user, with what is configured behind it. */
  withStored(addressOfRecord: string, stored: readonly Binding[]): readonly Binding[] {
    const fixed = this.of(addressOfRecord);
    return fixed.length === 0 ? stored : [...stored, ...fixed];
  }
}

function bindingOf(text: string): Binding {
  try {
    // A URI by itself keeps its parameters: in a header they would be the Contact's.
    const isHeader = /^\s*[<"]/.test(text);
    const value = isHeader
      ? contact.parse(text)
      : { uri: text, q: undefined, params: Params.empty };
    if (value === "*") throw bad("a static contact can't be *");
    parseUri(value.uri);
    const { uri, q = 1, params } = value;
    return {
      uri,
      params: params.without("expires").toString(),
      q,
      expiresAt: Number.POSITIVE_INFINITY,
      callId: "",
      cseq: 0,
      digest: 0,
      path: [],
    };
  } catch (error) {
    if (error instanceof ParseError) throw bad(`${text} is no contact`);
    throw error;
  }
}

function bad(message: string): SipError {
  return new SipError("SIP_BAD_OPTION", `static: ${message}`);
}
