import type { FlowRef } from "@sipkit/core";

/**
 * One place where a user is reached, for a time. Plain data that survives JSON; nobody changes one: an update puts
 * another in its place.
 *
 * RFC 3261 §10.3
 */
export interface Binding {
  /** The Contact's URI, byte for byte as it was registered. */
  readonly uri: string;
  /** The Contact's parameters as registered (`;q=0.7;+sip.instance="<urn:uuid:…>"`), `expires` left out. */
  readonly params: string;
  /** Preference, 0 to 1 in steps of 0.001; 1 where the Contact has none. */
  readonly q: number;
  /** When it ends: milliseconds since 1970. */
  readonly expiresAt: number;
  readonly callId: string;
  /** The CSeq number of the REGISTER that last touched it. */
  readonly cseq: number;
  /** 32 bits (signed) that tell that REGISTER from another of the same Call-ID and CSeq. */
  readonly digest: number;
  /** The Path as registered, first hop first. RFC 3327 §5.3 */
  readonly path: readonly string[];
  /** How the device that registered is reached; left out where the contact is another device. */
  readonly flow?: FlowRef | undefined;
  readonly userAgent?: string | undefined;
  /** The methods that the device says it takes; left out where it says nothing, or nobody wants to know. RFC 3840 §10 */
  readonly methods?: readonly string[] | undefined;
  /** What the application keeps with it, by `attributes` of the registrar's options. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}
